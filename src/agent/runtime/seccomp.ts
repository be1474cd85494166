/**
 * The seccomp profile `RuntimeDefault`, as an allow-list in OCI form: what ordinary programs need, and nothing that reaches the kernel's
 * modules, clocks, mounts, namespaces, keys, performance counters or other processes' memory. Capabilities that were granted
 * open the calls that are useless without them. Everything else fails with EPERM; `clone3` with ENOSYS, so that libc falls back
 * to `clone`, whose flags can be looked at.
 *
 * Names that a kernel or libseccomp does not know are skipped by the runtime. Source of the rules: the manual pages of the calls and
 * capabilities(7).
 */

/** One word a call, grouped by subject. */
const ordinary = `
  read write open close stat fstat lstat newfstatat poll ppoll ppoll_time64 lseek _llseek access faccessat faccessat2
  pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 openat openat2 creat close_range dup dup2 dup3 pipe pipe2
  stat64 lstat64 fstat64 fstatat64 statx statfs fstatfs statfs64 fstatfs64 fcntl fcntl64 flock fsync fdatasync sync syncfs
  sync_file_range truncate ftruncate truncate64 ftruncate64 fallocate fadvise64 fadvise64_64 readahead getdents getdents64
  getcwd chdir fchdir rename renameat renameat2 mkdir mkdirat rmdir link linkat unlink unlinkat symlink symlinkat readlink
  readlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 lchown32 umask utime utimes futimesat utimensat
  utimensat_time64 mknod mknodat setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
  removexattr lremovexattr fremovexattr sendfile sendfile64 splice tee vmsplice copy_file_range ioctl cachestat

  mmap mmap2 mprotect munmap brk mremap msync mincore madvise mlock mlock2 munlock mlockall munlockall remap_file_pages
  memfd_create memfd_secret membarrier pkey_mprotect pkey_alloc pkey_free map_shadow_stack process_mrelease

  rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigtimedwait_time64 rt_sigqueueinfo rt_tgsigqueueinfo
  rt_sigsuspend sigaltstack sigaction sigprocmask sigreturn signal signalfd signalfd4 kill tkill tgkill pause alarm

  fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgrp getpgid setpgid getsid setsid
  set_tid_address set_robust_list get_robust_list futex futex_time64 futex_waitv futex_wake futex_wait futex_requeue rseq
  sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max
  sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_getaffinity
  sched_setattr sched_getattr getpriority setpriority ioprio_set ioprio_get getcpu prctl arch_prctl set_thread_area
  get_thread_area modify_ldt prlimit64 getrlimit ugetrlimit setrlimit getrusage restart_syscall pidfd_open pidfd_send_signal
  landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp ptrace process_madvise

  getuid getgid geteuid getegid getuid32 getgid32 geteuid32 getegid32 setuid setgid setuid32 setgid32 setreuid setregid
  setreuid32 setregid32 getgroups setgroups getgroups32 setgroups32 setresuid getresuid setresgid getresgid setresuid32
  getresuid32 setresgid32 getresgid32 setfsuid setfsgid setfsuid32 setfsgid32 capget capset

  socket socketcall socketpair connect accept accept4 bind listen getsockname getpeername setsockopt getsockopt sendto recvfrom
  sendmsg recvmsg sendmmsg recvmmsg recvmmsg_time64 send recv shutdown

  select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old
  epoll_pwait epoll_pwait2 eventfd eventfd2 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  timerfd_create timerfd_settime timerfd_gettime timerfd_settime64 timerfd_gettime64 io_setup io_destroy io_getevents io_submit
  io_cancel io_pgetevents io_pgetevents_time64

  shmget shmat shmctl shmdt semget semop semctl semtimedop semtimedop_time64 msgget msgsnd msgrcv msgctl ipc mq_open mq_unlink
  mq_timedsend mq_timedreceive mq_timedsend_time64 mq_timedreceive_time64 mq_notify mq_getsetattr

  nanosleep clock_nanosleep clock_nanosleep_time64 clock_gettime clock_gettime64 clock_getres clock_getres_time64 gettimeofday
  time times getitimer setitimer timer_create timer_settime timer_settime64 timer_gettime timer_gettime64 timer_getoverrun
  timer_delete adjtimex uname sysinfo getrandom name_to_handle_at
`;

/** Calls that a capability makes useful, and therefore opens. */
const byCapability: Readonly<Record<string, string>> = {
  CAP_SYS_ADMIN: `bpf clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree
    perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_vm_readv process_vm_writev',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime clock_settime64 clock_adjtime clock_adjtime64',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages',
  CAP_SYSLOG: 'syslog',
  CAP_SYS_BOOT: 'reboot kexec_load kexec_file_load',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_BPF: 'bpf',
  CAP_PERFMON: 'perf_event_open',
};

/** Flags of clone(2) that make namespaces: mnt, cgroup, uts, ipc, user, pid, net. */
const namespaceFlags =
  0x00020000 + 0x02000000 + 0x04000000 + 0x08000000 + 0x10000000 + 0x20000000 + 0x40000000;
const errnoPermission = 1;
const errnoNoCall = 38;

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly valueTwo?: number;
    readonly op: string;
  }[];
}

export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** `capabilities`: those the container holds. `architecture`: as Node names it; undefined for one that we do not know (then no profile). */
export function runtimeDefaultProfile(
  capabilities: ReadonlySet<string>,
  architecture: string,
): SeccompProfile | undefined {
  const names = architectures[architecture];
  if (names === undefined) return undefined;
  const allowed = new Set(words(ordinary));
  for (const [capability, calls] of Object.entries(byCapability))
    if (capabilities.has(capability)) for (const call of words(calls)) allowed.add(call);
  const allow = 'SCMP_ACT_ALLOW';
  const personalities = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];
  const rules: SeccompRule[] = [
    { names: [...allowed], action: allow },
    ...personalities.map((value) => ({
      names: ['personality'],
      action: allow,
      args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
    })),
  ];
  if (capabilities.has('CAP_SYS_ADMIN')) rules.push({ names: ['clone'], action: allow });
  else {
    const noNamespaces = { index: 0, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' };
    rules.push({ names: ['clone'], action: allow, args: [noNamespaces] });
    rules.push({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: errnoNoCall });
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: errnoPermission,
    architectures: names,
    syscalls: rules,
  };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
