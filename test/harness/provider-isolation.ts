import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { ContractRig } from './provider-contract.ts';

/** The part of the contract that isolated providers keep: what a hostile program in the sandbox cannot do. */
export function describeIsolation(rig: ContractRig): void {
  describe('in isolation', () => {
    describeView(rig);
    describePowers(rig);
    describeNetwork(rig);
  });
}

function describeView({ provider, open, sh }: ContractRig): void {
  test('nothing of the machine is visible but what was put there', async () => {
    const { id } = await open();
    const { stdout } = await sh(id, 'ls -A /; echo --; ls -A /home; echo --; ls -A /etc');
    const [root = '', home = '', etc = ''] = stdout.split('--\n').map((part) => part.trim());
    const allowed = /^(bin|dev|etc|home|lib\w*|opt|proc|run|sbin|tmp|usr|var|workspace)$/;
    expect(root.split('\n').filter((name) => !allowed.test(name))).toEqual([]);
    expect(home).toBe('agent');
    expect(etc.split('\n')).not.toContain('shadow');
    const hidden = await sh(
      id,
      'ls "$@" 2>&1 | grep -v "No such file"',
      '/root',
      '/etc/shadow',
      process.cwd(),
    );
    expect(hidden.stdout).toBe('');
  });

  test('the working directory is inside: no way leads up from it', async () => {
    const { id } = await open();
    const up = Array.from({ length: 12 }, () => '..').join('/');
    const outcome = await provider.exec(id, {
      argv: ['/bin/sh', '-c', 'pwd -P; cd "$1" && pwd -P && ls root old 2>&1', 'sh', up],
      env: { PATH: '/usr/bin:/bin' },
    });
    expect(outcome.stdout).toMatch(/^\/workspace\n\/\nls: .*No such file.*\nls: .*No such file/);
  });

  test('only its own processes are visible', async () => {
    const { id } = await open();
    const { stdout } = await sh(id, 'cat /proc/[0-9]*/comm');
    const names = new Set(stdout.trim().split('\n'));
    expect([...names].filter((name) => !['sh', 'cat'].includes(name))).toEqual([]);
  });

  test('no descriptor of the app is handed in', async () => {
    const { id } = await open();
    const { stdout } = await sh(id, 'cd /proc/self/fd && for fd in *; do readlink "$fd"; done | grep "^/"');
    expect(
      [...new Set(stdout.trim().split('\n'))].filter((path) => !/^\/(dev\/null|proc\/\d+\/fd)$/.test(path)),
    ).toEqual([]);
  });

  test('system folders and files of the request cannot be written', async () => {
    const { id } = await open();
    const places = [
      '/usr/bad',
      '/etc/bad',
      '/bad',
      '/opt/specwright/bad',
      '/opt/specwright/sub/tool.txt',
      '/run/bad',
    ];
    for (const place of places) {
      expect({ place, code: (await sh(id, '2>/dev/null : >"$1"', place)).code }).toEqual({ place, code: 2 });
    }
    expect((await sh(id, ': >/tmp/good && : >"$HOME/good" && : >good')).code).toBe(0);
  });
}

function describePowers({ open, sh, js }: ContractRig): void {
  test('it is an ordinary user without capabilities and without a way to gain any', async () => {
    const { id } = await open();
    const { stdout } = await sh(id, 'id -u; id -G; whoami; cat /proc/self/status');
    const [uid, groups, name] = stdout.split('\n');
    expect(Number(uid)).toBeGreaterThan(0);
    expect(groups).toBe(uid);
    expect(name).toBe('agent');
    for (const field of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(stdout).toMatch(new RegExp(`^${field}:\\s0+$`, 'm'));
    }
    expect(stdout).toMatch(/^NoNewPrivs:\s1$/m);
  });

  test('it cannot make a namespace in which it would have capabilities', async () => {
    const { id } = await open();
    const { code, stderr } = await sh(id, 'unshare --user --map-root-user mount -t tmpfs none /tmp');
    expect(code).not.toBe(0);
    expect(stderr).toContain('Operation not permitted');
  });

  test('killing everything it can reach leaves the sandbox usable', async () => {
    const { id } = await open();
    await sh(id, 'kill -9 -1');
    expect((await sh(id, 'echo still here')).stdout).toBe('still here\n');
  });

  test('orphans that end do not pile up', async () => {
    const { id } = await open();
    const many =
      'for i in 1 2 3 4 5 6 7 8; do (setsid sleep 0.01 &) ; done; sleep 0.2; cat /proc/[0-9]*/stat';
    const { stdout } = await sh(id, many);
    expect(stdout.split('\n').filter((line) => / Z /.test(line))).toEqual([]);
  });

  test('Node and git work', async () => {
    const { id } = await open();
    expect((await js(id, 'console.log(process.version)')).stdout.trim()).toBe(process.version);
    expect((await sh(id, 'git init -q r && git -C r status --short')).code).toBe(0);
  });
}

function describeNetwork({ open, sh, js }: ContractRig): void {
  const CONNECT = `require('node:net').connect(Number(process.argv[1]), process.argv[2])
    .on('connect', () => { console.log('connected'); process.exit() }).on('error', (e) => console.log(e.code))`;

  test('there is no network: the machine cannot be reached and no route leads out', async () => {
    const { id } = await open();
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    try {
      const port = String((server.address() as AddressInfo).port);
      expect((await js(id, CONNECT, port, '127.0.0.1')).stdout).toBe('ECONNREFUSED\n');
      expect((await js(id, CONNECT, '53', '192.0.2.1')).stdout).toBe('ENETUNREACH\n');
      expect((await sh(id, 'tail -n +2 /proc/net/route')).stdout).toBe('');
    } finally {
      server.close();
    }
  });

  test('its own loopback works', async () => {
    const { id } = await open();
    const source = `const s = require('node:net').createServer((c) => c.end('hello')).listen(0, '127.0.0.1', () =>
      require('node:net').connect(s.address().port, '127.0.0.1').on('data', (d) => { console.log(String(d)); s.close(); }))`;
    expect((await js(id, source)).stdout).toBe('hello\n');
  });
}
