// SPDX-License-Identifier: Apache-2.0
import { parseInstitution } from '../program/arguments.ts'
import type { CommandGroup, FlagSpec } from '../program/command.ts'

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
  ],
}
