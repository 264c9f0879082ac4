// SPDX-License-Identifier: Apache-2.0
import { alarms } from './alarms.ts'
import { front } from './front.ts'
import { blobEndpoint, cosmosEndpoint, functions, vaultUrl } from './functions.ts'
import { keys } from './keys.ts'
import { AZURE_NAMES } from '#infra/permissions/azure/roles.ts'
import { API, filledIn, idOf, namesOf, SITES, type Resource } from './references.ts'
import type { Moves } from '#infra/permissions/identities.ts'
import { backedUpBy, identities, movedBy, roles } from './roles.ts'
import { settingsOf, type Parameters } from './settings.ts'
import { objects, tables } from './stores.ts'

export { DEFAULTS } from './settings.ts'

/** An ARM template for one resource group. */
export interface AzureTemplate {
  readonly $schema: string
  readonly contentVersion: string
  readonly parameters: Readonly<Record<string, object>>
  readonly resources: readonly Resource[]
  readonly outputs: Readonly<Record<string, object>>
}

/**
 * The template of a home on Azure. Deployed in mode Incremental: what holds records and keys is deleted by nobody who only changes
 * what runs. What is published to the apps is no part of it.
 * @param moves what is done with the home, while it moves
 * @throws AmpereError CONFIGURATION, naming the parameter
 */
export function azureTemplateOf(
  stage: string,
  parameters: Parameters,
  moves: Moves | null = null,
): AzureTemplate {
  const settings = settingsOf(stage, parameters, moves)
  const names = namesOf(settings.prefix)
  const gateway = idOf('Microsoft.ApiManagement/service', names.front)
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    parameters: { budgetStart: { type: 'string', defaultValue: "[utcNow('yyyy-MM-01')]" } },
    resources: [
      ...identities(settings),
      ...tables(settings),
      ...objects(settings),
      ...keys(settings),
      ...roles(settings),
      ...functions(settings),
      ...front(settings),
      ...alarms(settings),
    ],
    outputs: {
      origin: text(`[reference(${gateway}, '${API.management}').gatewayUrl]`),
      ...Object.fromEntries(
        settings.identities.map(({ name }) => [`${name}App`, text(`[${idOf(SITES, names.app(name))}]`)]),
      ),
      // Whoever sets the home up reaches what is kept there.
      cosmosEndpoint: text(filledIn(cosmosEndpoint(settings.prefix))),
      blobEndpoint: text(filledIn(blobEndpoint(names.objects))),
      vaultUrl: text(filledIn(vaultUrl(settings.prefix))),
      database: text(AZURE_NAMES.database),
      // Whom the next deployment takes it from, where that names another.
      ...(settings.backup && {
        backupPrincipal: text(settings.backupPrincipal),
        backedUpBy: text(backedUpBy(settings)),
      }),
      ...(settings.mover && { movedBy: text(movedBy(settings)) }),
    },
  }
}

function text(value: string): object {
  return { type: 'string', value }
}
