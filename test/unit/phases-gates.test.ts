import { describe, expect, test } from '@jest/globals';
import { earsProblem } from '../../src/services/spec/phases/ears.ts';
import { checkOutput } from '../../src/services/spec/phases/registry.ts';
import { demoArtifacts } from '../harness/artifacts.ts';
import { failuresOf } from '../harness/phase-failures.ts';

describe('the requirements gate', () => {
  test('finds ids that are used twice', () => {
    const { requirements } = demoArtifacts();
    requirements.requirements[1]!.id = 'R1';
    requirements.userStories[1]!.id = 'US-1';
    expect(failuresOf('requirements', requirements)).toEqual(
      expect.arrayContaining([
        'The user story id US-1 is used more than once.',
        'The requirement id R1 is used more than once.',
      ]),
    );
  });

  test('finds stories that do not exist and stories that nothing serves', () => {
    const { requirements } = demoArtifacts();
    requirements.requirements[3]!.userStories = ['US-9'];
    expect(failuresOf('requirements', requirements)).toEqual([
      'R4 names the user story US-9, which does not exist.',
      'The user story US-2 is served by no requirement.',
    ]);
  });

  test('finds a requirement without SHALL and a criterion under the wrong requirement', () => {
    const { requirements } = demoArtifacts();
    requirements.requirements[0]!.text = 'Greet people nicely.';
    requirements.requirements[1]!.acceptance[0]!.id = 'R3.2';
    expect(failuresOf('requirements', requirements)).toEqual([
      'R1 is not in EARS form: its text has no SHALL.',
      'The acceptance criterion R3.2 stands under R2; its id has to begin with "R2.".',
    ]);
  });

  test.each([
    ['The system SHALL greet.', null],
    ['WHEN a user logs in, the system SHALL greet them.', null],
    ['While idle, the pump shall not run.', null],
    ['IF the disk is full THEN the system SHALL say so.', null],
    ['WHERE dark mode is built in, the page SHALL offer it.', null],
    ['Everything should work.', 'has no SHALL'],
    ['marshall the data', 'has no SHALL'],
    ['The system SHALL .', 'says nothing behind SHALL'],
    ['SHALL greet', 'does not say who SHALL do it'],
    ['WHEN the system SHALL greet', 'has no condition behind WHEN'],
    ['IF , THEN the system SHALL greet', 'has no condition behind IF'],
    ['WHEN it rains, SHALL open', 'does not say who SHALL do it'],
    [
      'WHEN it rains the system SHALL open',
      'does not part its WHEN clause from the one who SHALL act (a comma is missing)',
    ],
  ])('reads %j as EARS', (text, problem) => {
    expect(earsProblem(text)).toBe(problem);
  });
});

describe('the design gate', () => {
  test('finds unknown requirements, unanswered ones, doubled names and unsafe files', () => {
    const { design } = demoArtifacts();
    design.components[2]!.requirements = ['R9'];
    design.components[2]!.name = 'greet';
    design.components[2]!.files = ['../outside.js', '.github/workflows/ci.yml'];
    expect(failuresOf('design', design)).toEqual([
      'The component "greet" is described more than once.',
      'The component "greet" answers R9, which does not exist.',
      'The component "greet" names the file "../outside.js", which leads out of its folder.',
      expect.stringContaining('is a workflow'),
      'R4 is answered by no component.',
    ]);
  });
});

describe('a plan that changes workflows', () => {
  const path = '.github/workflows/ci.yml';
  const { design, tasks } = demoArtifacts();
  design.components[0]!.files.push(path);
  tasks.tasks[0]!.files.push({ path, change: 'modify' });

  test.each([
    [undefined, 'a person with write access has to change it, or a maintainer sets `workflows: true`'],
    ['not_set', 'a maintainer sets `workflows: true` in .github/specwright.yml'],
    ['not_granted', 'this installation does not grant the App “Workflows: write”'],
  ] as const)('is refused by design and tasks, which say who can change them: %s', (workflows, sentence) => {
    const context = { ...demoArtifacts(), ...(workflows ? { workflows } : {}) };
    expect(failuresOf('design', design, context)).toEqual([expect.stringContaining(sentence)]);
    expect(failuresOf('tasks', tasks, context)).toEqual([expect.stringContaining(sentence)]);
  });

  test('passes where permission and settings allow it, unless the settings protect the file by name', () => {
    const context = { ...demoArtifacts(), workflows: 'allowed' as const };
    expect([...failuresOf('design', design, context), ...failuresOf('tasks', tasks, context)]).toEqual([]);
    const own = { ...context, protectedPaths: ['.github/workflows/**'] };
    expect(failuresOf('tasks', tasks, own)).toEqual([
      expect.stringContaining('protected by the repository’s settings'),
    ]);
  });
});

describe('the tasks gate', () => {
  test('names the whole circle of a cycle', () => {
    const { tasks } = demoArtifacts();
    tasks.tasks[0]!.dependsOn = ['TSK-003'];
    expect(failuresOf('tasks', tasks)).toEqual([
      'The tasks depend on each other in a circle: TSK-001 → TSK-003 → TSK-002 → TSK-001.',
    ]);
  });

  test('finds a task that depends on itself', () => {
    const { tasks } = demoArtifacts();
    tasks.tasks[1]!.dependsOn = ['TSK-002'];
    expect(failuresOf('tasks', tasks)).toEqual([
      'The tasks depend on each other in a circle: TSK-002 → TSK-002.',
    ]);
  });

  test('finds every kind of unknown reference', () => {
    const { tasks } = demoArtifacts();
    Object.assign(tasks.tasks[2]!, { ticket: 'TKT-9', dependsOn: ['TSK-099'], requirements: ['R4', 'R9'] });
    tasks.tickets[0]!.requirements = ['R1', 'R8'];
    expect(failuresOf('tasks', tasks)).toEqual([
      'TKT-1 names R8, which is no requirement.',
      'TKT-2 has no task.',
      'TSK-003 belongs to TKT-9, which is no ticket.',
      'TSK-003 serves R9, which is no requirement.',
      'TSK-003 depends on TSK-099, which is no task.',
    ]);
  });

  test('finds a requirement that no task serves', () => {
    const { tasks } = demoArtifacts();
    tasks.tasks[2]!.requirements = ['R1'];
    expect(failuresOf('tasks', tasks)).toEqual(['R4 is served by no task.']);
  });

  test('finds ids and files that are named twice', () => {
    const { tasks } = demoArtifacts();
    tasks.tasks[1]!.id = 'TSK-001';
    tasks.tasks[1]!.dependsOn = [];
    tasks.tickets[1]!.id = 'TKT-1';
    tasks.tasks[2]!.files.push({ path: 'README.md', change: 'delete' });
    expect(failuresOf('tasks', tasks)).toEqual(
      expect.arrayContaining([
        'The ticket id TKT-1 is used more than once.',
        'The task id TSK-001 is used more than once.',
        'TSK-003 names the file "README.md" twice.',
      ]),
    );
  });

  test.each([
    '/etc/passwd',
    '../x',
    'a/../../x',
    '.git/config',
    'a/.GIT/hooks/x',
    'C:/x',
    'a\\b',
    'CODEOWNERS',
    'infra/main.tf',
    '.gitmodules',
  ])('refuses the file %s', (path) => {
    const { tasks } = demoArtifacts();
    tasks.tasks[0]!.test.file = path;
    expect(failuresOf('tasks', tasks, { ...demoArtifacts(), protectedPaths: ['infra/**'] })).toEqual([
      expect.stringContaining(`TSK-001 names the file ${JSON.stringify(path)}, which `),
    ]);
  });

  test('keeps to the number of tasks that the settings allow', () => {
    const { tasks } = demoArtifacts();
    expect(failuresOf('tasks', tasks, { ...demoArtifacts(), maxTasks: 2 })).toEqual([
      'The plan has 3 tasks, more than the 2 that the settings allow.',
    ]);
  });

  test('cannot be asked before there are requirements', () => {
    expect(() => checkOutput('tasks', demoArtifacts().tasks, {})).toThrow(
      'the requirements artifact is missing',
    );
  });
});

describe('the sync gate', () => {
  test('refuses a plan that says of itself that it is not ready', () => {
    const { sync } = demoArtifacts();
    expect(failuresOf('sync', { ...sync, readyForExecution: false, blockers: ['no licence'] })).toEqual([
      'The plan says of itself that it is not ready for execution.',
      'The plan names a blocker: no licence',
    ]);
  });

  test('refuses an order that breaks a dependency', () => {
    const { sync } = demoArtifacts();
    expect(failuresOf('sync', { ...sync, order: ['TSK-002', 'TSK-001', 'TSK-003'] })).toEqual([
      'The order puts TSK-002 before TSK-001, on which it depends.',
    ]);
  });

  test('refuses an order that doubles, invents or misses tasks', () => {
    const { sync } = demoArtifacts();
    expect(failuresOf('sync', { ...sync, order: ['TSK-001', 'TSK-001', 'TSK-009', 'TSK-002'] })).toEqual([
      'The order names TSK-001 more than once.',
      'The order names TSK-009, which is no task.',
      'The order leaves out TSK-003.',
    ]);
  });

  test('refuses a coverage that disagrees with the tasks', () => {
    const { sync } = demoArtifacts();
    sync.coverage = [
      { requirement: 'R1', tasks: ['TSK-001', 'TSK-003'] },
      { requirement: 'R2', tasks: [] },
      { requirement: 'R3', tasks: ['TSK-001', 'TSK-002', 'TSK-007'] },
      { requirement: 'R9', tasks: ['TSK-001'] },
    ];
    expect(failuresOf('sync', sync)).toEqual([
      'The coverage lists R9, which is no requirement.',
      'The coverage leaves out R4.',
      'The coverage of R1 names TSK-003, which by the tasks does not serve it.',
      'The coverage of R1 leaves out TSK-002, which by the tasks serves it.',
      'R2 is covered by no task.',
      'The coverage of R2 leaves out TSK-002, which by the tasks serves it.',
      'The coverage of R3 names TSK-007, which is no task.',
    ]);
  });
});
