// SPDX-License-Identifier: Apache-2.0
import { factsOf } from '#infra/azure/facts.ts'
import { settingsOf } from '#infra/azure/settings.ts'
import { DEFAULTS } from '#infra/azure/template.ts'
import type { Change } from '#infra/deploy/azure/deployments.ts'
import type { Plan } from '../cloud.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import { planOf } from '../plan.ts'
import { templateFor, type Examined } from './doctor.ts'

/** What a deployment is made of, as its template says. @throws AmpereError CONFIGURATION for parameters that are wrong */
export function planAzure(wanted: CloudDeployment): Plan {
  const { stage, parameters } = wanted
  const given = { ...DEFAULTS, ...parameters }
  const { prefix, identities, vaultSku } = settingsOf(stage, given)
  const template = templateFor(wanted)
  return planOf(wanted, {
    prefix,
    types: template.resources.map(({ type }) => type),
    functions: identities.map(({ name }) => name),
    own: 'identity',
    keeps: (count) =>
      `${count('Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers')} containers, ${count('Microsoft.Storage/storageAccounts')} storage accounts, ${count('Microsoft.KeyVault/vaults/keys')} keys${vaultSku === 'premium' ? ' in an HSM' : ''}`,
    alarms: ['Microsoft.Insights/metricAlerts', 'Microsoft.Insights/scheduledQueryRules'],
    alarmEmail: given.alarmEmail,
    facts: factsOf(stage, template),
  })
}

/** The same, with what Azure says of it now. */
export function planExamined(wanted: CloudDeployment, { place, account, former, changes }: Examined): Plan {
  const plan = planAzure(wanted)
  const now = changes
    ? `  changes ${summaryOf(changes)}`
    : `  changes all of it is new; Azure says more once the resource group ${place.group} is there`
  const stands =
    former === null || former === 'Succeeded' ? [] : [`  before  a deployment that ${wordOf(former)}`]
  const who = `  as      ${account.name}, in the subscription ${place.subscription}`
  return { ...plan, lines: [...plan.lines, who, ...stands, now] }
}

/** In the order of what matters. */
export function summaryOf(changes: readonly Change[]): string {
  const words = [
    ['Create', 'new'],
    ['Modify', 'changed'],
    ['Deploy', 'made again'],
    ['NoChange', 'as they are'],
    ['Ignore', 'left alone'],
    ['Delete', 'deleted'],
  ] as const
  const told = words.flatMap(([kind, word]) => {
    const count = changes.filter((change) => change.kind === kind).length
    return count === 0 ? [] : [`${count} ${word}`]
  })
  return told.length === 0 ? 'nothing' : told.join(', ')
}

function wordOf(former: string): string {
  if (former === 'Failed') return 'failed: it goes on where it was'
  return former === 'Canceled' ? 'was cancelled: it goes on where it was' : 'runs now: it is waited for'
}
