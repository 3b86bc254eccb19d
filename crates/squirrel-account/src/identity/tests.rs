//! Names of processes, users, units and containers, from kernels in memory and from any octets.

use super::*;
use crate::picture::Container;
use proptest::prelude::*;
use squirrel_testkit::FakeKernel;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn stat_text(pid: u32, name: &str, parent: u32, started: u64) -> String {
    format!(
        "{pid} ({name}) S {parent} 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 {started} 1000 200 18446744073709551615\n"
    )
}

fn kernel(pid: u32, started: u64) -> FakeKernel {
    FakeKernel::default()
        .with(&format!("/proc/{pid}/stat"), stat_text(pid, "a) R (b", 7, started))
        .with(&format!("/proc/{pid}/cmdline"), b"/bin/a\0-x\0\xff\x1b[2J\0\0\0")
        .with(&format!("/proc/{pid}/status"), "Name:\ta\nUid:\t0\t1000\t0\t0\n")
        .with(&format!("/proc/{pid}/cgroup"), "0::/system.slice/a.service\n")
}

fn users() -> Users {
    Users::new(Some(Box::new(|out: &mut Vec<u8>| {
        out.extend_from_slice(b"root:x:0:0::/:/bin/sh\nann:x:1000:1000::/:/bin/sh\n");
        Ok(())
    })))
}

#[test]
fn a_process_is_named_also_when_its_name_is_hostile() {
    let summary = read(&kernel(42, 900), 42, &mut users(), &mut Vec::new()).unwrap();
    assert_eq!((summary.name.as_str(), summary.parent, summary.started), ("a) R (b", Some(7), 900));
    assert_eq!(summary.command.unwrap(), "/bin/a -x \u{FFFD}\x1b[2J");
    assert_eq!((summary.uid, summary.user.as_str()), (1000, "ann"));
    assert_eq!(summary.unit.as_deref(), Some("a.service"));
}

#[test]
fn a_process_that_took_the_number_while_it_was_read_is_not_mistaken() {
    /// A kernel that gives the number to another process after the command line was read.
    struct Reusing(FakeKernel);
    impl Kernel for Reusing {
        fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), squirrel_sys::SysError> {
            if path.ends_with("/cgroup") {
                self.0.write("/proc/42/stat", stat_text(42, "other", 1, 901));
            }
            self.0.read(path, out)
        }
        fn dump(
            &self,
            family: squirrel_sys::Netlink,
            kind: u16,
            payload: &[u8],
            each: &mut dyn FnMut(u16, &[u8]),
        ) -> Result<(), squirrel_sys::SysError> {
            self.0.dump(family, kind, payload, each)
        }
        fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), squirrel_sys::SysError> {
            self.0.ethtool(interface, command)
        }
    }
    assert_eq!(read(&Reusing(kernel(42, 900)), 42, &mut users(), &mut Vec::new()), None);
    let gone = FakeKernel::default();
    assert_eq!(read(&gone, 42, &mut users(), &mut Vec::new()), None);
}

#[test]
fn a_user_without_a_name_is_a_number_and_the_table_is_not_read_each_time() {
    let reads = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = std::sync::Arc::clone(&reads);
    let mut users = Users::new(Some(Box::new(move |_: &mut Vec<u8>| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    })));
    for _ in 0..1000 {
        assert_eq!(users.name(4711), "4711");
    }
    assert!(reads.load(std::sync::atomic::Ordering::Relaxed) < 12);
}

#[test]
fn units_and_containers_are_read_from_the_path() {
    let container = |runtime, name: &str, id: &str| Some(Container { runtime, name: name.into(), id: id.into() });
    let short = container("docker", "0123456789ab", ID);
    let of = |runtime| container(runtime, "0123456789ab", ID);
    let none = String::new;
    let cases: &[(String, String, Option<Container>)] = &[
        ("/system.slice/nginx.service".into(), "nginx.service".into(), None),
        ("/user.slice/user-1000.slice/session-3.scope".into(), "session-3.scope".into(), None),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service".into(), "web.service".into(), None),
        (format!("/system.slice/docker-{ID}.scope"), none(), short.clone()),
        (format!("/docker/{ID}"), none(), short),
        (format!("/docker/{ID}/system.slice/x.service"), "x.service".into(), of("docker")),
        (format!("/machine.slice/libpod-{ID}.scope/container"), none(), of("podman")),
        (format!("/machine.slice/libpod-conmon-{ID}.scope"), format!("libpod-conmon-{ID}.scope"), None),
        (format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"), none(), of("kubernetes")),
        (format!("/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope"), none(), of("kubernetes")),
        (format!("/kubepods/besteffort/pod1-2/{ID}"), none(), of("kubernetes")),
        (format!("/kubepods.slice/x.slice/docker-{ID}.scope"), none(), of("kubernetes")),
        (format!("/default/{ID}"), none(), of("container")),
        ("/lxc.payload.web/init.scope".into(), "init.scope".into(), container("lxc", "web", "web")),
        ("/lxc/web".into(), none(), container("lxc", "web", "web")),
        ("/lxc.monitor.web".into(), none(), None),
        ("/machine.slice/machine-my\\x2dbox.scope".into(), none(), container("nspawn", "my-box", "my-box")),
        ("/machine.slice/machine-qemu\\x2d1.scope".into(), "machine-qemu\\x2d1.scope".into(), None),
        ("/docker/not-an-id".into(), none(), None),
        ("/".into(), none(), None),
        ("/../../x.service".into(), "x.service".into(), None),
    ];
    for (path, unit, container) in cases {
        let place = Place::of_path(path);
        assert_eq!((&place.unit.unwrap_or_default(), &place.container), (unit, container), "{path}");
    }
}

#[test]
fn the_unified_tree_counts_unless_nobody_is_in_it() {
    let unit = |text: &str| Place::parse(text.as_bytes()).unit;
    assert_eq!(unit("12:cpu:/x\n1:name=systemd:/a.service\n0::/b.service\n").as_deref(), Some("b.service"));
    assert_eq!(unit("12:cpu:/x\n1:name=systemd:/a.service\n0::/\n").as_deref(), Some("a.service"));
    assert_eq!(Place::parse(b"4:memory:/docker/x:y\n0::/\n").path.as_deref(), Some("/docker/x:y"));
    assert_eq!(Place::parse(b""), Place::default());
}

proptest! {
    #[test]
    fn any_stat_is_survived(octets: Vec<u8>, at in 0usize..80, with: u8) {
        let mut bent = stat_text(1, "a", 2, 3).into_bytes();
        bent[at] = with;
        let _ = (Stat::parse(&octets), Stat::parse(&bent));
    }

    #[test]
    fn any_name_is_read_back(name in "[^\0]{0,16}", parent: u32, started: u64) {
        let stat = Stat::parse(stat_text(9, &name, parent, started).as_bytes()).unwrap();
        prop_assert_eq!(stat, Stat { name, parent, started });
    }

    #[test]
    fn any_cgroup_is_survived(octets: Vec<u8>, path in "[/.a-z0-9x\\\\-]{0,100}") {
        let _ = (Place::parse(&octets), Place::parse(path.as_bytes()), Place::of_path(&path));
    }

    #[test]
    fn any_table_of_users_is_survived(octets: Vec<u8>) {
        let _ = users::parse(&octets).count();
    }

    #[test]
    fn users_are_read_back(table in prop::collection::btree_map(any::<u32>(), "[a-z][a-z0-9-]{0,12}", 0..20)) {
        let lines: Vec<String> =
            table.iter().map(|(uid, name)| format!("{name}:x:{uid}:0:gecos:/:/bin/sh")).collect();
        let text = lines.join("\n");
        prop_assert_eq!(users::parse(text.as_bytes()).collect::<std::collections::BTreeMap<_, _>>(), table);
    }

    #[test]
    fn any_command_and_status_are_survived(octets: Vec<u8>) {
        let _ = (command_line(&octets), effective_uid(&octets));
    }
}
