// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import { isRegion, REGIONS } from '#infra/aws/regions.ts'
import { PARAMETERS } from '#infra/aws/settings.ts'
import { storesTemplateOf } from '#infra/aws/template.ts'
import { eraseStores } from '#infra/deploy/aws/erase.ts'
import { removeFunctions } from '#infra/deploy/aws/functions.ts'
import { withStacks, type Stack, type Stacks } from '#infra/deploy/aws/stacks.ts'
import { failure } from '#infra/deploy/failure.ts'
import { suggestion } from '../../program/near.ts'
import { plain } from '../../terminal/words.ts'
import { pause, type Cloud, type Part, type Removal, type Standing } from '../cloud.ts'
import { originOf, type CloudDeployment } from '../cloud-folder.ts'
import { accountOf } from './account.ts'
import { deployAws } from './deploy.ts'
import { leaveAws } from './leave.ts'
import { planAws } from './plan.ts'
import { stackOf } from './stack-of.ts'
import { fetchByApi } from '#adapters/aws/clients/emulated-api.ts'
import { readAws } from './read.ts'
import { receiveAws } from './receive.ts'

/** AWS. @param env the environment, in which AWS_ENDPOINT_URL may name an emulator */
export function awsCloud(env: Readonly<Record<string, string | undefined>>): Cloud {
  return {
    provider: 'aws',
    parameters: PARAMETERS,
    region: env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || 'eu-central-1',
    plan: async (wanted) => {
      if (!isRegion(wanted.region)) throw noRegion(wanted.region)
      return planAws(wanted)
    },
    deploy: deployAws,
    receive: receiveAws,
    leave: leaveAws,
    read: readAws,
    reach: () => fetchByApi(env),
    standing,
    removal,
  }
}

/** A region that is misspelt would be asked under an address that is nobody's. */
function noRegion(region: string) {
  const near = suggestion(region, REGIONS)
  return new AmpereError('CONFIGURATION', `AWS has no region ${plain(region).slice(0, 40)}${near}`)
}

async function standing(known: CloudDeployment): Promise<Standing> {
  await accountOf(known)
  return withStacks(known.region, pause, async (stacks) => {
    const look = async (kind: 'stores' | 'functions') =>
      partOf(stackOf(known, kind), await stacks.find(stackOf(known, kind)))
    const [stores, functions] = await Promise.all([look('stores'), look('functions')])
    return { stores, functions }
  })
}

function partOf(name: string, stack: Stack | null): Part {
  const status = stack?.status ?? null
  return { name, status, isWhole: /^(CREATE|UPDATE)_COMPLETE$/.test(status ?? '') }
}

async function removal(known: CloudDeployment, erases: boolean): Promise<Removal> {
  const { region, stage, parameters } = known
  const { account } = await accountOf(known)
  await checkOwn(known)
  const [stores, functions] = [stackOf(known, 'stores'), stackOf(known, 'functions')]
  const there = await withStacks(region, pause, async (stacks) => {
    const [runs, kept] = [await stacks.find(functions), await stacks.find(stores)]
    return { runs: runs !== null, kept: kept !== null }
  })
  const where = `Account ${account}, ${region}:`
  if (erases)
    return {
      says: [
        `${where} removes the stacks ${functions} and ${stores}: every table, bucket and key, the address and all that runs.`,
        'Every record that no mirror holds is gone for ever. KMS lets keys be taken back for 30 days.',
      ],
      remove: () => eraseAll(known),
      isThere: there.runs || there.kept,
      removed: `${functions}, and ${stores} with all that it held`,
    }
  return {
    says: [
      `${where} removes all functions, their roles and alarms (stack ${functions}).`,
      `Keeps every table, bucket and key, and the address ${originOf(known) ?? ''} (stack ${stores}).`,
      'Nobody is answered until it is deployed again.',
    ],
    remove: () => removeFunctions({ stage, region, parameters }),
    isThere: there.runs,
    removed: functions,
  }
}

/** In every account and region the stacks are named alike. @throws DeployFailure for those of another home */
async function checkOwn(known: CloudDeployment): Promise<void> {
  const name = stackOf(known, 'stores')
  const stack = await withStacks(known.region, pause, (stacks) => stacks.find(name))
  const found = stack?.outputs['HttpApiUrl']
  const origin = originOf(known)
  if (origin === null || found === undefined || found === origin) return
  throw failure(
    `the stack ${name} is of another deployment: ${found}`,
    'nothing was removed: check the account, the region and the data folder',
  )
}

/** What runs first: its routes are on the address that the other stack has. */
async function eraseAll(known: CloudDeployment): Promise<void> {
  const { region, stage, parameters } = known
  await withStacks(region, pause, async (stacks) => {
    if (await stacks.find(stackOf(known, 'functions'))) await removeFunctions({ stage, region, parameters })
    await eraseKept(stacks, known)
  })
}

/** Erases what a deployment keeps, once nothing runs. @throws DeployFailure */
export async function eraseKept(stacks: Stacks, known: CloudDeployment): Promise<void> {
  const template = storesTemplateOf(known.stage, known.parameters)
  await eraseStores(stacks, stackOf(known, 'stores'), template, known.region)
}
