// SPDX-License-Identifier: Apache-2.0
import { parseInstitution } from '../program/arguments.ts'
import type { CommandGroup, FlagSpec } from '../program/command.ts'
import { graveFlags } from './deployment.ts'

const STAGE: FlagSpec = {
  flags: '--stage <name>',
  about: 'which deployment of the account (default: dev)',
  default: 'dev',
}
const REGION: FlagSpec = {
  flags: '--region <region>',
  about: 'region of AWS (default: eu-central-1)',
  default: 'eu-central-1',
}

export const CLOUD: CommandGroup = {
  title: 'Clouds',
  commands: [
    {
      name: 'deploy aws',
      summary: 'Make a home on AWS, or make it what it should be now',
      about:
        'Says what will be made, makes what is missing, then creates a record there, appends, reads back and verifies. Can be run again at any time: what was interrupted goes on. Tables, buckets, keys and the address are in a stack that nothing here removes. The keys of the founding institutions are made on this computer, in the data folder.',
      flags: [
        STAGE,
        REGION,
        {
          flags: '--institution <id=name>',
          about: 'a founding institution; may be given several times, the first runs the home',
          parse: parseInstitution,
        },
        {
          flags: '--param <name=value>',
          about: 'a parameter of the template, as docs/OPERATIONS.md lists them; may be given several times',
          parse: (text, before) => [...((before as readonly string[] | undefined) ?? []), text],
        },
        { flags: '--demo', about: 'a registry that says for ever that it is a demonstration' },
        { flags: '--plan', about: 'say what would be made, and do nothing' },
      ],
      examples: [
        {
          does: 'what would be made?',
          run: 'npx ampere deploy aws --plan --institution st-marys="St Mary\'s"',
        },
        {
          does: 'make it',
          run: 'npx ampere deploy aws --stage prod --region eu-central-1 --institution st-marys="St Mary\'s"',
        },
      ],
      json: {
        ok: 'true',
        folder: 'where the keys of the institutions are',
        origin: 'where the home is reached',
        registry: 'id of the registry, to be pinned by whoever verifies exports',
        smoke: 'record, blocks, appendMs and receiptMs of the trial',
        stage: 'with --plan, as those that follow',
        region: 'where',
        resources: 'how many of each type',
        functions: 'their names',
        lines: 'the plan in words',
      },
      load: async () => (await import('../commands/cloud/deploy.ts')).deployOnAws,
    },
    {
      name: 'deploy status',
      summary: 'Say how a deployment on AWS stands',
      about: 'Looks, and changes nothing: both stacks, and what the home says of itself.',
      flags: [STAGE],
      examples: [{ does: 'does it stand?', run: 'npx ampere deploy status --stage prod' }],
      json: {
        ok: 'false when a stack is not whole or the home does not answer as it should',
        stage: 'its name',
        region: 'where',
        origin: 'where the home is reached, or null',
        registry: 'id of the registry, or null',
        stores: 'status of the stack of what is kept, or null',
        functions: 'status of the stack of what runs, or null',
        says: 'ok, or what the home says is wrong',
      },
      exits: { 1: 'something is wrong' },
      load: async () => (await import('../commands/cloud/standing.ts')).statusOnAws,
    },
    {
      name: 'deploy destroy',
      summary: 'Remove what runs of a deployment on AWS, and keep what it holds',
      about:
        'Removes the functions, their roles and the alarms. Tables, buckets, keys and the address stay in a stack of their own that nothing here removes; deploying again makes the same home answer again. docs/OPERATIONS.md says how an operator destroys them.',
      flags: [STAGE, ...graveFlags('the name of the stage')],
      examples: [
        { does: 'what would go?', run: 'npx ampere deploy destroy --stage trial --dry-run' },
        { does: 'remove it', run: 'npx ampere deploy destroy --stage trial --confirm trial' },
      ],
      json: {
        ok: 'true',
        dryRun: 'whether --dry-run was given',
        stage: 'its name',
        removed: 'whether anything was removed',
      },
      load: async () => (await import('../commands/cloud/standing.ts')).destroyOnAws,
    },
  ],
}
