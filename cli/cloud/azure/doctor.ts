// SPDX-License-Identifier: Apache-2.0
import { azureTemplateOf, DEFAULTS, type AzureTemplate } from '#infra/azure/template.ts'
import { settingsOf, type AzureSettings } from '#infra/azure/settings.ts'
import { checkClock, subscriptionOf, whoAmI, type Account } from '#infra/deploy/azure/account.ts'
import { openArm, type Arm } from '#infra/deploy/azure/arm.ts'
import {
  deploymentState,
  findGroup,
  whatIf,
  type Change,
  type Place,
} from '#infra/deploy/azure/deployments.ts'
import { checkNames, checkQuota, checkRegion } from '#infra/deploy/azure/region.ts'
import type { Moves } from '#infra/permissions/identities.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Azure } from './azure.ts'

/** What is known of a deployment before anything is changed. */
export interface Examined {
  readonly arm: Arm
  readonly account: Account
  readonly place: Place
  readonly settings: AzureSettings
  readonly template: AzureTemplate
  /** How the former deployment ended, or that it runs; null where there was none. */
  readonly former: string | null
  /** Null before there is a resource group: then all of it is new. */
  readonly changes: readonly Change[] | null
}

const ACCOUNTS = 'Microsoft.Storage/storageAccounts'

/** The template as it is made where nobody was asked yet, without the rights of whoever deploys. @throws AmpereError CONFIGURATION */
export function templateFor({ stage, parameters }: CloudDeployment): AzureTemplate {
  return azureTemplateOf(stage, { ...DEFAULTS, ...parameters })
}

/** The resource group of a deployment is named as all that is in it. */
export function placeOf({ stage, region, parameters }: CloudDeployment, subscription: string): Place {
  return { subscription, group: settingsOf(stage, { ...DEFAULTS, ...parameters }).prefix, region }
}

/** Azure, and the subscription in which a deployment is or is to be. @throws DeployFailure */
export async function enter(
  wanted: CloudDeployment,
  azure: Azure,
): Promise<Pick<Examined, 'arm' | 'account' | 'place'>> {
  const account = await whoAmI(azure.connection)
  const arm = openArm(azure.connection)
  const subscription = await subscriptionOf(arm, wanted.subscription ?? azure.subscription)
  checkClock(arm, azure.now())
  return { arm, account, place: placeOf(wanted, subscription) }
}

/**
 * Looks at all that can be in the way of a deployment, and changes nothing.
 * @param moves what is to be done with its home, while that moves
 * @throws DeployFailure that says what to do
 */
export async function examine(
  wanted: CloudDeployment,
  azure: Azure,
  moves: Moves | null = null,
): Promise<Examined> {
  templateFor(wanted)
  const { arm, account, place } = await enter(wanted, azure)
  const given = {
    ...DEFAULTS,
    setUpPrincipal: account.principal,
    setUpKind: account.kind,
    ...wanted.parameters,
  }
  const template = azureTemplateOf(wanted.stage, given, moves)
  const settings = settingsOf(wanted.stage, given, moves)
  await checkRegion(arm, place.subscription, place.region, template.resources)
  const isThere = await findGroup(arm, place)
  const former = isThere ? await deploymentState(arm, place) : null
  const known = { arm, account, place, settings, template, former }
  const changes = isThere ? await changesOf(known) : null
  if (!changes) {
    const accounts = template.resources.filter(({ type }) => type === ACCOUNTS)
    await checkQuota(arm, place.subscription, place.region, accounts.length)
  }
  return { ...known, changes }
}

/** What would change, where there is a resource group; and that what is new can have its names and fits. @throws DeployFailure */
export async function changesOf({
  arm,
  place,
  template,
}: Pick<Examined, 'arm' | 'place' | 'template'>): Promise<readonly Change[]> {
  const changes = await whatIf(arm, place, template)
  const made = changes.filter(({ kind }) => kind === 'Create').map(({ id }) => id)
  await checkQuota(
    arm,
    place.subscription,
    place.region,
    made.filter((id) => new RegExp(`/${ACCOUNTS}/[^/]+$`).test(id)).length,
  )
  await checkNames(arm, place.subscription, made)
  return changes
}
