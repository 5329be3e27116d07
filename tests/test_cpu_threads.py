"""CPUs in reach are counted by affinity and quota, and OpenMP variables are chosen unless the user has set them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vaetui import cpu_threads
from vaetui.cpu_threads import CHOSEN_VARIABLES, adapts_waiting, read_cpu_quota, set_openmp_variables

V2_MOUNT = "31 23 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNT = (
    "32 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
)
BUSY_STAT = "cpu  7837372 1169462 984642 2364667 46615 0 17101 12193 0 0\ncpu0 37 5 4 14 1 0 6 5 0 0\nintr 9 8\n"
WriteTree = Callable[..., str]


@pytest.fixture
def write_tree(tmp_path: Path) -> WriteTree:
    """Return a function that writes files below a root, by their absolute paths, and returns the root."""

    def write(files: dict[str, str]) -> str:
        for name, text in files.items():
            path = tmp_path / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
        return str(tmp_path)

    return write


@pytest.fixture
def sixty_four_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process run on 64 CPUs, as in a container with a quota on a large machine."""
    monkeypatch.setattr(cpu_threads, "count_allowed_cpus", lambda: 64)


def v2_files(group: str, quotas: dict[str, str], mount: str = V2_MOUNT) -> dict[str, str]:
    quota_files = {f"/sys/fs/cgroup{path}/cpu.max": text for path, text in quotas.items()}
    return {"/proc/self/cgroup": f"0::{group}\n", "/proc/self/mountinfo": mount, **quota_files}


def v1_files(group: str, quotas: dict[str, tuple[str, str]], mount: str = V1_MOUNT) -> dict[str, str]:
    files = {"/proc/self/cgroup": f"5:memory:/other\n4:cpu,cpuacct:{group}\n0::/\n", "/proc/self/mountinfo": mount}
    for path, (quota, period) in quotas.items():
        files[f"/sys/fs/cgroup/cpu,cpuacct{path}/cpu.cfs_quota_us"] = quota
        files[f"/sys/fs/cgroup/cpu,cpuacct{path}/cpu.cfs_period_us"] = period
    return files


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        pytest.param({}, None, id="no /proc, as on macOS"),
        pytest.param(v2_files("/", {}), None, id="root group of version 2, which has no cpu.max"),
        pytest.param(v2_files("/", {"": "max 100000\n"}), None, id="no limit"),
        pytest.param(v2_files("/", {"": "150000 100000\n"}), 1.5, id="container with its own name space"),
        pytest.param(
            v2_files("/user.slice/user-7.slice", {"/user.slice": "400000 100000", "/user.slice/user-7.slice": "max 1"}),
            4.0,
            id="limit of a group above",
        ),
        pytest.param(
            v2_files("/a/b", {"/a": "400000 100000", "/a/b": "200000 100000"}), 2.0, id="smallest of nested groups"
        ),
        pytest.param(
            v2_files("/docker/7f/x", {"/x": "50000 100000"}, V2_MOUNT.replace(" / /sys", " /docker/7f /sys")),
            0.5,
            id="mounted below the root",
        ),
        pytest.param(v2_files("/../../init", {"": "300000 100000"}), 3.0, id="group outside of the name space"),
        pytest.param(v1_files("/", {"": ("-1\n", "100000\n")}), None, id="version 1 without a limit"),
        pytest.param(v1_files("/job_12/step_0", {"/job_12": ("250000\n", "100000\n")}), 2.5, id="version 1, Slurm job"),
        pytest.param(
            v1_files("/docker/7f", {"": ("200000\n", "100000\n")}, V1_MOUNT.replace(" / /sys", " /docker/7f /sys")),
            2.0,
            id="version 1, container without its own name space",
        ),
        pytest.param(
            {**v1_files("/a", {"/a": ("300000", "100000")}, V1_MOUNT + V2_MOUNT)}, 3.0, id="both versions mounted"
        ),
    ],
)
def test_cpu_quota_is_the_smallest_of_all_groups(
    write_tree: WriteTree, files: dict[str, str], quota: float | None
) -> None:
    assert read_cpu_quota(write_tree(files)) == quota


@pytest.mark.parametrize(
    "text",
    ["", "max", "100000", "a b", "1 0", "0 100000", "-5 100000", "1e5 100000", "1" * 400 + " 1", "9" * 5000 + " 1",
     "\x00\xff\udc80", "1 2 3", "\n\n", "½ ²"],
)  # fmt: skip
def test_malformed_quotas_set_no_limit(write_tree: WriteTree, text: str) -> None:
    assert read_cpu_quota(write_tree(v2_files("/", {"": text}))) is None
    quota, _, period = text.partition(" ")
    assert read_cpu_quota(write_tree(v1_files("/", {"": (quota, period)}))) is None


@pytest.mark.parametrize("name", ["/proc/self/cgroup", "/proc/self/mountinfo", "/sys/fs/cgroup/cpu.max"])
def test_unreadable_or_malformed_files_set_no_limit(write_tree: WriteTree, name: str) -> None:
    root = write_tree(v2_files("/", {"": "100000 100000"}))
    for text in ("", ":", "a:b", "1 2 - 3", "::::\n\n - \n", "\udc80\udcff", "0::\n"):
        write_tree({name: text})
        read_cpu_quota(root)  # no exception
    path = Path(root, name.lstrip("/"))
    path.unlink()
    assert read_cpu_quota(root) is None
    path.mkdir()  # reading a directory fails for root, too
    assert read_cpu_quota(root) is None
    path.chmod(stat.S_IWUSR)
    assert read_cpu_quota(root) is None


@pytest.mark.parametrize(
    ("quota", "count"), [("200000", 2), ("150000", 2), ("140000", 1), ("10000", 1), ("25600000", 64), ("max", 64)]
)
def test_a_quota_limits_the_threads_on_a_large_machine(
    write_tree: WriteTree, sixty_four_cpus: None, quota: str, count: int
) -> None:
    root = write_tree({**v2_files("/", {"": f"{quota} 100000"}), "/proc/stat": BUSY_STAT})
    environment: dict[str, str] = {}
    set_openmp_variables(environment, root)
    assert cpu_threads.count_usable_cpus(root) == count
    assert environment.get("OMP_NUM_THREADS") == (str(count) if count < 64 else None)
    # Threads that spin would use up the quota.
    assert environment.get("GOMP_SPINCOUNT") == ("1000" if count < 64 else None)


def test_variables_of_the_user_stay_as_they_are(write_tree: WriteTree, sixty_four_cpus: None) -> None:
    root = write_tree(v2_files("/", {"": "200000 100000"}))
    user = {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "active", "KMP_BLOCKTIME": "3"}
    environment = dict(user)
    set_openmp_variables(environment, root)
    assert environment == user


@pytest.mark.parametrize(
    "variable", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"]
)
def test_threads_are_not_adapted_if_the_user_has_decided(write_tree: WriteTree, variable: str) -> None:
    root = write_tree({"/proc/stat": BUSY_STAT})
    assert adapts_waiting({}, root)
    assert not adapts_waiting({variable: "x"}, root)


@pytest.mark.parametrize("text", [None, "", "cpu  0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n", "cpu\n", "cpu a b\n"])
def test_threads_spin_briefly_where_the_load_cannot_be_read(write_tree: WriteTree, text: str | None) -> None:
    root = write_tree({} if text is None else {"/proc/stat": text})
    environment: dict[str, str] = {}
    set_openmp_variables(environment, root)
    assert environment["GOMP_SPINCOUNT"] == "1000"


def test_llvm_threads_on_macos_block_soon(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    root = write_tree({})
    for user, block_time in (({}, "1"), ({"KMP_BLOCKTIME": "200"}, "200"), ({"OMP_WAIT_POLICY": "active"}, None)):
        environment = dict[str, str](user)
        set_openmp_variables(environment, root)
        assert environment.get("KMP_BLOCKTIME") == block_time


def test_a_child_process_chooses_anew_but_keeps_what_the_user_changed(
    write_tree: WriteTree, sixty_four_cpus: None
) -> None:
    root = write_tree(v2_files("/", {"": "200000 100000"}))
    environment: dict[str, str] = {}
    set_openmp_variables(environment, root)
    assert environment[CHOSEN_VARIABLES] == "OMP_NUM_THREADS=2 GOMP_SPINCOUNT=1000"
    cpu_threads.count_usable_cpus.cache_clear()
    write_tree({"/sys/fs/cgroup/cpu.max": "400000 100000"})
    environment["GOMP_SPINCOUNT"] = "5"
    set_openmp_variables(environment, root)
    assert environment == {
        "OMP_NUM_THREADS": "4", "GOMP_SPINCOUNT": "5", CHOSEN_VARIABLES: "OMP_NUM_THREADS=4"
    }  # fmt: skip


@pytest.mark.parametrize("marker", ["", "=", "a", "a=b=c", "OMP_NUM_THREADS", "OMP_NUM_THREADS= =="])
def test_a_malformed_list_of_chosen_variables_is_ignored(write_tree: WriteTree, marker: str) -> None:
    environment = {CHOSEN_VARIABLES: marker, "OMP_NUM_THREADS": "3"}
    set_openmp_variables(environment, write_tree({"/proc/stat": BUSY_STAT}))
    assert environment == {"OMP_NUM_THREADS": "3"}


def test_the_default_number_of_threads_is_that_of_the_user_or_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_threads, "count_usable_cpus", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv(CHOSEN_VARIABLES, "")
    assert cpu_threads.count_default_threads(8) == 8
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert cpu_threads.count_default_threads(64) == 2
    assert cpu_threads.count_default_threads(1) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setenv(CHOSEN_VARIABLES, "OMP_NUM_THREADS=4")
    assert cpu_threads.count_default_threads(4) == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no CPU affinity")
def test_pytorch_uses_as_many_threads_as_the_process_has_cpus() -> None:
    program = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); import vaetui, torch; "
        "from vaetui.cpu_threads import *; print(count_usable_cpus(), count_default_threads(torch.get_num_threads()))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    process = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert process.stdout.split() == ["1", "1"]
