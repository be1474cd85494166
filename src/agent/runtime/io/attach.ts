/**
 * Attaching to a running container's own streams, through conmon's socket.
 *
 * That socket is SOCK_SEQPACKET, which Node cannot open. perl can, and Debian, Ubuntu and Fedora always have it (`perl-base` is an
 * essential package): thirty lines of it carry stdin to the socket and packets, by their first byte, to stdout or stderr.
 * The window size goes through conmon's control pipe.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { assert, CaelumError } from '../../../lib/index.ts';
import type { ExecSession } from '../runtime.ts';
import { findProgram } from './host.ts';

/** conmon marks packets with 2 (stdout) or 3 (stderr). One process for both ways: select, and never block on sending. */
const relay = String.raw`
use strict; use warnings; use Socket; use Errno qw(EAGAIN EINTR);
my ($folder, $interactive) = @ARGV;
chdir $folder or die "chdir: $!\n";
socket(my $sock, PF_UNIX, SOCK_SEQPACKET, 0) or die "socket: $!\n";
connect($sock, sockaddr_un("attach")) or die "connect: $!\n";
binmode STDOUT; binmode STDERR; $SIG{PIPE} = "IGNORE";
my ($pending, $open) = ("", $interactive);
sub put { my ($to, $data) = @_; while (length $data) { my $n = syswrite $to, $data; next if !defined $n && $! == EINTR; exit 0 if !defined $n; substr($data, 0, $n) = ""; } }
while (1) {
  my ($r, $w) = ("", "");
  vec($r, fileno $sock, 1) = 1;
  vec($r, 0, 1) = 1 if $open && $pending eq "";
  vec($w, fileno $sock, 1) = 1 if $pending ne "";
  my $n = select($r, $w, undef, undef);
  next if $n < 0;
  if (vec($r, fileno $sock, 1)) {
    my $got = recv($sock, my $packet, 65536, 0);
    last if !defined $got && $! != EINTR;
    if (defined $got) { last if $packet eq ""; my $kind = ord $packet; put($kind == 3 ? \*STDERR : \*STDOUT, substr $packet, 1); }
  }
  if (vec($w, fileno $sock, 1)) {
    my $sent = send($sock, $pending, 0x40);
    if (defined $sent) { substr($pending, 0, $sent) = "" } elsif ($! != EAGAIN && $! != EINTR) { last }
  }
  if ($open && $pending eq "" && vec($r, 0, 1)) {
    my $n = sysread STDIN, $pending, 8192;
    if (!$n && !(!defined $n && $! == EINTR)) { $open = 0; $pending = ""; shutdown $sock, 1; }
  }
}
`;

export interface AttachTarget {
  readonly name: string;
  /** Folder with conmon's `attach` socket and `ctl` pipe. */
  readonly folder: string;
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** Resolves with the exit code when the container ends. */
  readonly exited: Promise<number>;
}

export async function attachTo(target: AttachTarget): Promise<ExecSession> {
  const perl = findProgram('perl');
  if (perl === undefined)
    throw new CaelumError(
      'unavailable',
      `Cannot attach to container "${target.name}": perl is not installed`,
    );
  const args = ['-e', relay, target.folder, target.stdin ? '1' : '0'];
  const child = spawn(perl, args, { stdio: [target.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child;
  assert(stdout !== null && stderr !== null, 'the relay has pipes');
  stdin?.on('error', () => {});
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 0));
  });
  const exited = ended.then(() => Promise.race([target.exited, shortly(0)]));
  exited.catch(() => {});
  return {
    stdin: stdin ?? undefined,
    stdout,
    stderr: target.terminal ? undefined : stderr,
    resize: (columns, rows) => {
      if (target.terminal) control(target.folder, `1 ${rows} ${columns}\n`);
    },
    exited,
    kill: () => void child.kill('SIGKILL'),
  };
}

/** One line to conmon: `1 rows columns` sets the window size, `2 0 0` reopens the log. False when conmon is gone. */
export function control(folder: string, line: string): boolean {
  let pipe: number;
  try {
    pipe = openSync(join(folder, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    writeSync(pipe, line);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(pipe);
  }
}

/** The container's end is reported a moment after its streams have closed. */
function shortly(exitCode: number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(exitCode), 1000).unref());
}
