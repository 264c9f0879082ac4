// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from './cloud-flags.ts'
import { parseList, parseSince } from '../program/arguments.ts'
import type { CommandGroup } from '../program/command.ts'
import { graveFlags } from './deployment.ts'

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
        items: 'id, institution, status, revoked, capabilities, kid and isHere of each',
      },
      load: async () => (await import('../commands/instances/list.ts')).listInstances,
    },
    {
      name: 'instance enrol',
      summary: 'Enrol a further app instance of an institution of this computer',
      about:
        "Its key is made in the institution's key file. The registry change is signed by the institution's root key and goes to the home's registrar.",
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
      ],
      acts: true,
      examples: [
        { does: 'one more', run: 'npx ampere instance enrol --as hospital-a' },
        {
          does: 'one that only creates records',
          run: 'npx ampere instance enrol ward-7 --as hospital-a --capabilities create',
        },
      ],
      json: {
        ok: 'true',
        instance: 'its id',
        kid: 'id of its key',
        capabilities: 'what it may do',
        registryHeight: HEIGHT,
      },
      load: async () => (await import('../commands/instances/enrol.ts')).enrolInstance,
    },
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
      load: async () => (await import('../commands/instances/revoke.ts')).revokeInstance,
    },
  ],
}
