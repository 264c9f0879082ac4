// SPDX-License-Identifier: Apache-2.0
import type { Resource } from '#infra/azure/references.ts'
import { API } from '#infra/azure/references.ts'
import { failure } from '../failure.ts'
import type { Arm } from './arm.ts'

const SUBSCRIPTIONS = '2022-12-01'
const PROVIDERS = '2021-04-01'

interface Location {
  readonly name?: string
  readonly displayName?: string
}
interface Provider {
  readonly registrationState?: string
  readonly resourceTypes?: readonly {
    readonly resourceType?: string
    readonly locations?: readonly string[]
  }[]
}

/**
 * That a region is one, and has every service of a template for this subscription.
 * @throws DeployFailure that names what is missing
 */
export async function checkRegion(
  arm: Arm,
  subscription: string,
  region: string,
  resources: readonly Resource[],
): Promise<void> {
  const base = `/subscriptions/${subscription}`
  const locations = (await arm.list(`${base}/locations`, SUBSCRIPTIONS)) as readonly Location[]
  const here = locations.find(({ name }) => name === region)
  if (!here)
    throw failure(`${region} is no region of this subscription`, 'az account list-locations, then --region')
  const types = topTypes(resources)
  const namespaces = [...new Set(types.map(([namespace]) => namespace))]
  const found = await Promise.all(
    namespaces.map((namespace) => arm.get(`${base}/providers/${namespace}`, PROVIDERS)),
  )
  const providers = new Map(namespaces.map((namespace, at) => [namespace, found[at] as Provider]))
  const unused = namespaces.filter((name) => providers.get(name)?.registrationState !== 'Registered')
  if (unused.length > 0)
    throw failure(
      `the subscription does not use ${unused.join(', ')} yet`,
      `${unused.map((name) => `az provider register --namespace ${name}`).join('; ')}; then run this again`,
    )
  const absent = types.filter(([namespace, type]) => !isIn(here, providers.get(namespace), type))
  if (absent.length > 0) throw notHere(region, absent.map((each) => each.join('/')).join(', '))
  const flex = (await arm.list(
    `${base}/providers/Microsoft.Web/geoRegions?sku=FlexConsumption`,
    API.web,
  )) as readonly Location[]
  if (!flex.some(({ name = '' }) => isSame(name, here)))
    throw notHere(region, 'Functions on Flex Consumption')
}

function notHere(region: string, what: string) {
  return failure(`${region} has no ${what}`, 'choose another: --region')
}

/** Types that are deployed by themselves, each once. */
function topTypes(resources: readonly Resource[]): readonly (readonly [string, string])[] {
  const all = new Set(resources.map(({ type }) => type.split('/').slice(0, 2).join('/')))
  return [...all].toSorted().map((type) => {
    const [namespace = '', name = ''] = type.split('/')
    return [namespace, name] as const
  })
}

/** A type without locations is the world's. */
function isIn(here: Location, provider: Provider | undefined, type: string): boolean {
  const found = provider?.resourceTypes?.find(
    ({ resourceType }) => resourceType?.toLowerCase() === type.toLowerCase(),
  )
  const { locations = [] } = found ?? {}
  return locations.length === 0 || locations.some((name) => name === 'global' || isSame(name, here))
}

/** Some services say `West Europe`, some `westeurope`. */
function isSame(said: string, { name = '', displayName = '' }: Location): boolean {
  return said === displayName || said.replaceAll(' ', '').toLowerCase() === name
}

/** That so many more accounts fit: of the quotas that matter here, the one that can be asked for. @throws DeployFailure */
export async function checkQuota(
  arm: Arm,
  subscription: string,
  region: string,
  accounts: number,
): Promise<void> {
  const path = `/subscriptions/${subscription}/providers/Microsoft.Storage/locations/${region}/usages`
  const [usage] = (await arm.list(path, API.storage)) as readonly { currentValue?: number; limit?: number }[]
  const { currentValue = 0, limit = Infinity } = usage ?? {}
  if (currentValue + accounts <= limit) return
  throw failure(
    `${accounts} more storage accounts do not fit: ${currentValue} of ${limit} are used in ${region}`,
    'ask Azure to raise the quota, remove what is not used, or choose another: --region',
  )
}

/** How each service is asked whether a name is free, where names are one for the world. */
const ASKED_FOR_NAMES: Readonly<Record<string, { readonly path: string; readonly version: string }>> = {
  'Microsoft.Storage/storageAccounts': {
    path: 'Microsoft.Storage/checkNameAvailability',
    version: API.storage,
  },
  'Microsoft.KeyVault/vaults': { path: 'Microsoft.KeyVault/checkNameAvailability', version: API.vault },
  'Microsoft.Web/sites': { path: 'Microsoft.Web/checkNameAvailability', version: API.web },
  'Microsoft.ApiManagement/service': {
    path: 'Microsoft.ApiManagement/checkNameAvailability',
    version: API.management,
  },
}

/** That what is to be made can have its name. @param ids of resources that are not there yet @throws DeployFailure */
export async function checkNames(arm: Arm, subscription: string, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => checkName(arm, subscription, id)))
}

async function checkName(arm: Arm, subscription: string, id: string): Promise<void> {
  const [, type = '', name = ''] = /\/providers\/([^/]+\/[^/]+)\/([^/]+)$/.exec(id) ?? []
  const asked = ASKED_FOR_NAMES[type]
  if (!asked) return
  const path = `/subscriptions/${subscription}/providers/${asked.path}`
  const answer = (await arm.post(path, asked.version, { name, type })) as { nameAvailable?: boolean }
  if (answer.nameAvailable !== false) return
  throw failure(
    `the name ${name} is taken (${type}): such names are one for the world, and a vault keeps its own for 90 days after it was deleted`,
    'choose another --stage, or recover what was deleted: az keyvault recover',
  )
}
