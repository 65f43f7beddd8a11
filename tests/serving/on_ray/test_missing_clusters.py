import pytest

pytestmark = pytest.mark.loopback


@pytest.mark.model
@pytest.mark.parametrize("address", ["127.0.0.1:1", "auto"])
def test_a_cluster_that_there_is_not_is_told_in_one_line_and_soon(serving, address):
    settings = '[servers.small]\nmodel = "smollm2-135m-instruct"\nengine = "embedded"\n'
    serve = serving(f'{settings}[ray]\nport = PORT\naddress = "{address}"\n')
    assert serve.process.wait(60) == 2
    assert f"small  failed: ray.address = '{address}': no Ray cluster " in serve.said
    assert "Traceback" not in serve.said
