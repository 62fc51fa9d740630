/**
 * The fixed texts that `sh -c` runs. Nothing is ever put into them: data comes as positional parameters or, where
 * other users of the machine must not read it in a process list, through a pipe.
 */

/** Outside, before anything else: lowers limits, joins control groups ($3 of them), then becomes the program. */
export const JOIN_SCRIPT = `set -eu
ulimit -c 0
ulimit -n "$1"
ulimit -f "$2"
n=$3
shift 3
while [ "$n" -gt 0 ]; do
  echo 0 >"$1"
  shift
  n=$((n - 1))
done
exec "$@"
`;

/**
 * The first process of the new namespaces, still with all capabilities: $1 new root, $2 mount table, $3 how
 * loopback is raised, the rest is the program that gives up its powers. It is told its pid on the host, which it
 * reads from the host's /proc while that is still there.
 */
export const ENTER_SCRIPT = `set -eu
root=$1
table=$2
lo=$3
shift 3
read -r pid rest </proc/self/stat
mount -n -a -T "$table"
case $lo in
  ip) ip link set lo up ;;
  perl) perl -e 'use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 0) or die "socket: $!";
    my $r = pack("a16 x24", "lo"); ioctl($s, 0x8913, $r) or die "loopback: $!";
    my $f = unpack("x16 s", $r); ioctl($s, 0x8914, pack("a16 s x22", "lo", $f | 1)) or die "loopback: $!";' ;;
  python3) python3 -I -c 'import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r = fcntl.ioctl(s, 0x8913, struct.pack("16s24x", b"lo"))
f = struct.unpack_from("16xh", r)[0]
fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", f | 1))' ;;
esac
# The host's name is nobody's business inside; where the kernel forbids a new one the old one stays.
{ echo sandbox >/proc/sys/kernel/hostname; } 2>/dev/null || hostname sandbox 2>/dev/null || :
cd "$root"
pivot_root . old
umount -l old
exec "$@" "$pid"
`;

/**
 * What the first process is in the end, without powers: it reaps orphans and ends when the pipe from the app
 * closes. Its reader may be killed by a program of the same uid; then there is a new one.
 */
export const KEEP_SCRIPT = `echo "ready $1"
exec >/dev/null 2>&1
while :; do
  read -r line <&3 &
  wait $!
  [ $? -gt 128 ] || exit 0
done
`;

/**
 * Last step before a program: reads its environment from descriptor 3 and starts it with exactly that. A line
 * "+text" begins a variable, ".text" continues it after a line break. $1 is the working directory.
 */
export const ENVIRON_SCRIPT = `cwd=$1
shift
n=$#
word=
begun=
nl='
'
while IFS= read -r line <&3; do
  case $line in
    +*)
      [ -z "$begun" ] || set -- "$@" "$word"
      word=\${line#+}
      begun=1
      ;;
    .*) word=$word$nl\${line#.} ;;
  esac
done
[ -z "$begun" ] || set -- "$@" "$word"
exec 3<&-
while [ "$n" -gt 0 ]; do
  last=$1
  shift
  set -- "$@" "$last"
  n=$((n - 1))
done
exec env -i -C "$cwd" "$@"
`;

/** $1 target, $2 and $3 the folders it must stay in, links resolved. Content comes on stdin. */
export const UPLOAD_SCRIPT = `set -eu
case $(readlink -m -- "$1")/ in
  "$(readlink -m -- "$2")"/* | "$(readlink -m -- "$3")"/*) ;;
  *) exit 77 ;;
esac
mkdir -p -- "\${1%/*}"
cat >"$1"
`;

/** $1 source, $2 and $3 the folders it must stay in, $4 the most bytes that are read. */
export const DOWNLOAD_SCRIPT = `set -eu
case $(readlink -m -- "$1")/ in
  "$(readlink -m -- "$2")"/* | "$(readlink -m -- "$3")"/*) ;;
  *) exit 77 ;;
esac
[ -e "$1" ] || exit 78
[ -f "$1" ] || exit 77
head -c "$4" -- "$1"
`;

/** The script's answer to a path outside the sandbox's own folders. */
export const EXIT_OUTSIDE = 77;
export const EXIT_MISSING = 78;

/** The environment as the lines that ENVIRON_SCRIPT reads. */
export function environLines(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `+${name}=${value}`.replaceAll('\n', '\n.'))
    .map((entry) => `${entry}\n`)
    .join('');
}
