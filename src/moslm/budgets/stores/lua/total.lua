return redis.call('HMGET', TOTALS, 'nanos', 'tokens', 'calls', 'unknown', 'held')
