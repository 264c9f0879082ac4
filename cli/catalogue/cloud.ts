// SPDX-License-Identifier: Apache-2.0
import { CLOUDS } from '../cloud/clouds.ts'
import { PROVIDERS, type Provider } from '../cloud/providers.ts'
import { parseInstitution } from '../program/arguments.ts'
import type { CommandGroup, CommandSpec, FlagSpec } from '../program/command.ts'
import { graveFlags } from './deployment.ts'

const STAGE: FlagSpec = {
  flags: '--stage <name>',
  about: 'which deployment of the account (default: dev)',
  default: 'dev',
}
const ROLE: FlagSpec = {
  flags: '--role <role>',
  about:
    'what is deployed (default: as before; at first home): with both also the bridge of the first institution, with bridge one alone',
  choices: ['home', 'bridge', 'both'],
}
const HOME: FlagSpec = {
  flags: '--home <name>',
  about: 'of a bridge alone: the deployment whose home it uses, such as aws-prod',
}
const PROVIDER: FlagSpec = {
  flags: '--provider <name>',
  about: 'which cloud, where the stage is deployed in both',
  choices: PROVIDERS,
}

export const PARAM: FlagSpec = {
  flags: '--param <name=value>',
  about: 'a parameter of the template, as docs/OPERATIONS.md lists them; may be given several times',
  parse: (text, before) => [...((before as readonly string[] | undefined) ?? []), text],
}

const DEPLOY_JSON = {
  ok: 'true',
  folder: 'where the keys of the institutions are',
  origin: 'where the home is reached',
  registry: 'id of the registry, to be pinned by whoever verifies exports',
  smoke: 'record, blocks, appendMs and receiptMs of the trial, or null where there is no home',
  bridge: 'institution, fhir (its address) and instance, where there is a bridge',
  stage: 'with --plan, as those that follow',
  region: 'where',
  resources: 'how many of each type',
  functions: 'their names',
  idle: 'what a month costs in which nobody uses it',
  lines: 'the plan in words',
}

/** How one provider's command differs. */
interface Deploys {
  readonly provider: Provider
  /** The region of a new one, where nothing else is said, in words. */
  readonly region: string
  /** One of its regions. */
  readonly example: string
  readonly about: string
  readonly flags: readonly FlagSpec[]
}

function deployCommand({ provider, region, example, about, flags }: Deploys): CommandSpec {
  const { title, open } = CLOUDS[provider]
  return {
    name: `deploy ${provider}`,
    summary: `Make a home on ${title}, or make it what it should be now`,
    about: `Says what will be made, makes what is missing, then creates a record there, appends, reads back and verifies. Can be run again at any time: what was interrupted goes on. ${about} The keys of the founding institutions are made on this computer, in the data folder.`,
    flags: [
      STAGE,
      {
        flags: '--region <region>',
        about: `region of ${title} (default: that of the deployment, else ${region})`,
      },
      ROLE,
      HOME,
      ...flags,
      {
        flags: '--institution <id=name>',
        about:
          'a founding institution; may be given several times, the first runs the home. Of a bridge alone: whose it is',
        parse: parseInstitution,
      },
      PARAM,
      { flags: '--demo', about: 'a registry that says for ever that it is a demonstration' },
      { flags: '--plan', about: 'say what would be made, and do nothing' },
    ],
    examples: [
      {
        does: 'what would be made?',
        run: `npx ampere deploy ${provider} --plan --institution st-marys="St Mary's"`,
      },
      {
        does: 'make it',
        run: `npx ampere deploy ${provider} --stage prod --region ${example} --institution st-marys="St Mary's"`,
      },
      {
        does: 'with the bridge of the first institution in the same account',
        run: `npx ampere deploy ${provider} --stage prod --region ${example} --role both`,
      },
    ],
    json: DEPLOY_JSON,
    load: async () => (await import('../commands/cloud/deploy.ts')).deployOn(open),
  }
}

export const CLOUD: CommandGroup = {
  title: 'Clouds',
  commands: [
    deployCommand({
      provider: 'aws',
      region: 'AWS_REGION, else eu-central-1',
      example: 'eu-central-1',
      about:
        'Tables, buckets, keys and the address are in a stack of their own, which only deploy destroy --erase-data removes.',
      flags: [],
    }),
    deployCommand({
      provider: 'azure',
      region: 'westeurope',
      example: 'westeurope',
      about:
        'Before it changes anything it looks at credentials, subscription, region, quotas and names. All of it is in one resource group, which only deploy destroy --erase-data removes.',
      flags: [
        {
          flags: '--subscription <id>',
          about: 'in which subscription (default: AZURE_SUBSCRIPTION_ID, else the only one)',
        },
      ],
    }),
    {
      name: 'deploy status',
      summary: 'Say how a deployment in a cloud stands',
      about:
        'Looks, and changes nothing: what the cloud says of both halves, and what the home says of itself.',
      flags: [STAGE, PROVIDER],
      examples: [{ does: 'does it stand?', run: 'npx ampere deploy status --stage prod' }],
      json: {
        ok: 'false when a half is not whole or the home does not answer as it should',
        provider: 'aws or azure',
        stage: 'its name',
        region: 'where',
        origin: 'where the home is reached, or null',
        registry: 'id of the registry, or null',
        stores: 'status of what is kept, or null',
        functions: 'status of what runs, or null',
        says: 'ok, or what the home says is wrong',
        bridge: 'whose bridge runs there and its FHIR address, or null',
      },
      exits: { 1: 'something is wrong' },
      load: async () => (await import('../commands/cloud/standing.ts')).statusOf(CLOUDS),
    },
    {
      name: 'deploy destroy',
      summary: 'Remove what runs of a deployment in a cloud, and keep what it holds',
      about:
        'Removes the functions and the alarms. Tables, objects, keys and the address stay; deploying again makes the same home answer again.',
      flags: [
        STAGE,
        PROVIDER,
        {
          flags: '--erase-data',
          about: 'also tables, objects, keys and the address, for ever',
        },
        ...graveFlags('the name of the stage, or erase-NAME with --erase-data'),
      ],
      examples: [
        { does: 'what would go?', run: 'npx ampere deploy destroy --stage trial --dry-run' },
        { does: 'remove it', run: 'npx ampere deploy destroy --stage trial --confirm trial' },
        {
          does: 'and every record with it',
          run: 'npx ampere deploy destroy --stage trial --erase-data --confirm erase-trial',
        },
      ],
      json: {
        ok: 'true',
        dryRun: 'whether --dry-run was given',
        stage: 'its name',
        removed: 'whether anything was removed',
        erased: 'whether what is kept was removed too',
      },
      load: async () => (await import('../commands/cloud/standing.ts')).destroyOn(CLOUDS),
    },
  ],
}
