// SPDX-License-Identifier: Apache-2.0
import { stackName } from '#infra/aws/references.ts'
import { PARAMETERS, settingsOf } from '#infra/aws/settings.ts'
import { storesTemplateOf } from '#infra/aws/template.ts'
import { eraseStores } from '#infra/deploy/aws/erase.ts'
import { removeFunctions } from '#infra/deploy/aws/functions.ts'
import { openStacks, type Stack, type Stacks } from '#infra/deploy/aws/stacks.ts'
import { failure } from '#infra/deploy/failure.ts'
import { refuse } from '../../program/refuse.ts'
import { pause, type Cloud, type Part, type Removal, type Standing } from '../cloud.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import { accountOf } from './account.ts'
import { deployAws } from './deploy.ts'
import { planAws } from './plan.ts'
import { reachHome } from './reach.ts'

/** AWS. @param env the environment, in which AWS_ENDPOINT_URL may name an emulator */
export function awsCloud(env: Readonly<Record<string, string | undefined>>): Cloud {
  return {
    provider: 'aws',
    parameters: PARAMETERS,
    plan: async (wanted) => {
      checkSupported(wanted.parameters)
      return planAws(wanted)
    },
    deploy: deployAws,
    reach: (origin) => reachHome(origin, env),
    standing,
    removal,
  }
}

/** What the template can be made for and this command cannot set up yet. @throws AmpereError UNSUPPORTED */
function checkSupported({ deploys = 'home' }: Readonly<Record<string, string>>): void {
  if (deploys !== 'home')
    throw refuse('UNSUPPORTED', 'only a home can be deployed yet, no bridge', 'leave out --param deploys')
}

async function standing(known: CloudDeployment): Promise<Standing> {
  const { region } = known
  await accountOf(known)
  const stacks = openStacks(region, pause)
  const look = async (kind: 'stores' | 'functions') =>
    partOf(nameOf(known, kind), await stacks.find(nameOf(known, kind)))
  try {
    const [stores, functions] = await Promise.all([look('stores'), look('functions')])
    return { stores, functions }
  } finally {
    stacks.close()
  }
}

function partOf(name: string, stack: Stack | null): Part {
  const status = stack?.status ?? null
  return { name, status, isWhole: /^(CREATE|UPDATE)_COMPLETE$/.test(status ?? '') }
}

async function removal(known: CloudDeployment, erases: boolean): Promise<Removal> {
  const { region, stage, parameters, home } = known
  const { account } = await accountOf(known)
  await checkOwn(known)
  const [stores, functions] = [nameOf(known, 'stores'), nameOf(known, 'functions')]
  const where = `Account ${account}, ${region}:`
  if (erases)
    return {
      says: [
        `${where} removes the stacks ${functions} and ${stores}: every table, bucket and key, the address and all that runs.`,
        'Every record that no mirror holds is gone for ever. KMS lets keys be taken back for 30 days.',
      ],
      remove: () => eraseAll(known),
      removed: `${functions}, and ${stores} with all that it held`,
    }
  return {
    says: [
      `${where} removes all functions, their roles and alarms (stack ${functions}).`,
      `Keeps every table, bucket and key, and the address ${home?.origin ?? ''} (stack ${stores}).`,
      'Nobody is answered until it is deployed again.',
    ],
    remove: () => removeFunctions({ stage, region, parameters }),
    removed: functions,
  }
}

/** In every account and region the stacks are named alike. @throws DeployFailure for those of another home */
async function checkOwn(known: CloudDeployment): Promise<void> {
  const stacks = openStacks(known.region, pause)
  try {
    const found = (await stacks.find(nameOf(known, 'stores')))?.outputs['HttpApiUrl']
    if (!known.home || found === undefined || found === known.home.origin) return
    throw failure(
      `the stack ${nameOf(known, 'stores')} is of another home: ${found}`,
      'nothing was removed: check the account, the region and the data folder',
    )
  } finally {
    stacks.close()
  }
}

/** What runs first: its routes are on the address that the other stack has. */
async function eraseAll(known: CloudDeployment): Promise<void> {
  const { region, stage, parameters } = known
  const stacks = openStacks(region, pause)
  try {
    if (await stacks.find(nameOf(known, 'functions'))) await removeFunctions({ stage, region, parameters })
    await eraseKept(stacks, known)
  } finally {
    stacks.close()
  }
}

/** Erases what a deployment keeps, once nothing runs. @throws DeployFailure */
export async function eraseKept(stacks: Stacks, known: CloudDeployment): Promise<void> {
  const template = storesTemplateOf(known.stage, known.parameters)
  await eraseStores(stacks, nameOf(known, 'stores'), template, known.region)
}

function nameOf({ stage, parameters }: CloudDeployment, kind: 'stores' | 'functions'): string {
  return stackName(settingsOf(stage, parameters).prefix, kind)
}
