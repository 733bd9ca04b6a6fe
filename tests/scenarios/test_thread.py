from __future__ import annotations

from tests.scenarios.service import Service


def test_dropped_job_file_becomes_a_picture_with_sidecars_and_a_result(service: Service) -> None:
    service.start()
    service.wait_until_watching()

    service.drop("bay.yaml")
    result = service.wait_for_result("bay.yaml")

    assert result["status"] == "completed"
    output = service.root / result["generations"][0]["outputs"][0]["path"]
    assert output.is_file()
    assert output.with_name(output.name + ".json").is_file()
    assert output.with_name(output.name + ".xmp").is_file()
    assert not any((service.root / "processing").iterdir())
    assert service.stop() == 0
