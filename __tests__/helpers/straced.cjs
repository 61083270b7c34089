// A program: runs another one under strace, with this one's input and output.

const { spawnSync } = require('node:child_process');

const { program } = JSON.parse(process.argv[2]);
const { status } = spawnSync('strace', ['-f', '--seccomp-bpf', '-y', '-qq', '-s', '4096', '-o', process.env.HYPHA_STRACE_LOG, '-e', 'trace=%file,memfd_create', process.execPath, program, process.argv[2]], { stdio: 'inherit' });
process.exitCode = status ?? 1;
