// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from '../cloud-flags.ts'
import { parseList, parseSince } from '../../program/arguments.ts'
import type { CommandGroup } from '../../program/command.ts'
import { APPROVALS } from './approvals.ts'
import { graveFlags } from '../deployment.ts'

const INSTANCE = { name: 'instance', about: 'its id, for example hospital-a-3' }
const HEIGHT = 'height of the registry afterwards'

export const INSTANCES: CommandGroup = {
  title: 'App instances',
  commands: [
    {
      name: 'instance list',
      summary: "List an institution's app instances",
      flags: [{ flags: '--all', about: 'of every institution of the registry' }, HOME_FLAG],
      acts: true,
      examples: [
        { does: 'ours', run: 'npx ampere instance list --as hospital-a' },
        { does: "everybody's", run: 'npx ampere instance list --all' },
      ],
      json: {
        ok: 'true',
        registryHeight: 'height of the registry',
        items: 'id, institution, status, revoked, capabilities, expires, kid and isHere of each',
      },
      load: async () => (await import('../../commands/instances/list.ts')).listInstances,
    },
    {
      name: 'instance enrol',
      summary:
        'Enrol a further app instance: of an institution of this computer, or with --at this computer itself',
      about:
        "Without --at its key is made in the key file of the institution, which is on this computer, and nobody has to approve: the institution's root key signs the registry change. With --at this computer, in a data folder of its own, becomes an app instance of an institution whose keys are on another computer: its key is made here and stays here, and the institution's administrator approves the code that is shown (instance approve). Ctrl+C keeps the request; the same command goes on with it.",
      args: [{ ...INSTANCE, about: `${INSTANCE.about} (default: the next number)`, optional: true }],
      flags: [
        HOME_FLAG,
        {
          flags: '--capabilities <names>',
          about:
            'what it may do beyond what records grant, separated by commas: control, create, identify, publish, release-share (default: control,create,identify)',
          default: ['control', 'create', 'identify'],
          parse: parseList,
        },
        { flags: '--name <id>', about: 'its id, like the argument' },
        {
          flags: '--at <url>',
          about: 'address of the home where the institution is: this computer becomes the app instance',
        },
        { flags: '--registry <id>', about: 'with --at: id of the registry, as the institution tells it' },
        {
          flags: '--reads',
          about:
            "with --at: ask for the institution's sealing key, without which it neither reads nor writes records",
        },
      ],
      acts: true,
      examples: [
        { does: 'one more', run: 'npx ampere instance enrol --as hospital-a' },
        {
          does: 'one that only creates records',
          run: 'npx ampere instance enrol ward-7 --as hospital-a --capabilities create',
        },
        {
          does: 'this computer, at a home elsewhere',
          run: 'npx ampere instance enrol --at https://home.example --registry 3q2-7w... --as hospital-a --name ward-7 --capabilities create --reads --data ./ward-7',
        },
      ],
      json: {
        ok: 'true',
        instance: 'its id',
        kid: 'id of its key',
        capabilities: 'what it may do',
        registryHeight: HEIGHT,
        reads: 'with --at: whether the sealing key was handed over',
        expires: 'with --at: when it expires unless it renews itself',
        certificate: 'with --at: the file of its certificate',
      },
      load: async () => (await import('../../commands/instances/enrol.ts')).enrolInstance,
    },
    ...APPROVALS,
    {
      name: 'instance revoke',
      summary: 'Revoke an app instance of an institution of this computer',
      about: 'Says what follows: who is cut off, what is suspect, which records need new keys.',
      args: [INSTANCE],
      flags: [
        HOME_FLAG,
        {
          flags: '--reason <reason>',
          about: 'why (default: retired)',
          default: 'retired',
          choices: ['retired', 'suspended', 'compromised'],
        },
        {
          flags: '--suspect-from <time>',
          about: 'with compromised: since when its key may have been stolen',
          parse: parseSince,
        },
        ...graveFlags("the instance's id"),
      ],
      acts: true,
      examples: [
        { does: 'a computer was replaced', run: 'npx ampere instance revoke hospital-a-2 --as hospital-a' },
        {
          does: 'a key was stolen',
          run: 'npx ampere instance revoke hospital-a-2 --reason compromised --suspect-from 2026-11-20 --confirm hospital-a-2',
        },
      ],
      json: {
        ok: 'true',
        dryRun: 'whether --dry-run was given',
        instance: 'its id',
        kid: 'id of its key',
        reason: 'why',
        suspectFrom: 'since when, or null',
        registryHeight: HEIGHT,
        shown:
          'each other home of the registry that was shown it: origin, and isTaken: it refuses the key already',
        follows: 'what has to be done or known, in sentences',
      },
      load: async () => (await import('../../commands/instances/revoke.ts')).revokeInstance,
    },
    {
      name: 'instance reinstate',
      summary: 'Lift the suspension of an app instance of an institution of this computer',
      about:
        'Only what was revoked with --reason suspended comes back. What it signed meanwhile stays refused.',
      args: [INSTANCE],
      flags: [HOME_FLAG],
      acts: true,
      examples: [
        {
          does: 'a laptop was found again',
          run: 'npx ampere instance reinstate hospital-a-2 --as hospital-a',
        },
      ],
      json: {
        ok: 'true',
        changed: 'whether it was suspended',
        instance: 'its id',
        kid: 'id of its key',
        registryHeight: HEIGHT,
      },
      load: async () => (await import('../../commands/instances/reinstate.ts')).reinstateInstance,
    },
  ],
}
