// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import { DEFAULTS } from '#infra/azure/template.ts'
import { API } from '#infra/azure/references.ts'
import { settingsOf } from '#infra/azure/settings.ts'
import { deploymentState, findGroup, groupPath } from '#infra/deploy/azure/deployments.ts'
import { doesRun, removeGroup, removeRunning } from '#infra/deploy/azure/removal.ts'
import { plain } from '../../terminal/words.ts'
import type { Cloud, Deploying, Removal, Standing } from '../cloud.ts'
import { originOf, type CloudDeployment } from '../cloud-folder.ts'
import { realAzure, type Azure } from './azure.ts'
import { deployAzure } from './deploy.ts'
import { enter, examine } from './doctor.ts'
import { readAzure } from './read.ts'
import { receiveAzure } from './receive.ts'
import { leaveAzure } from './leave.ts'
import { planAzure, planExamined } from './plan.ts'

/** Azure. @param azure how it is reached; by default as `env` says */
export function azureCloud(
  env: Readonly<Record<string, string | undefined>>,
  azure: Azure = realAzure(env),
): Cloud {
  return {
    provider: 'azure',
    parameters: Object.keys(DEFAULTS),
    region: 'westeurope',
    plan: async (wanted, asks) => {
      checkRegionName(wanted.region)
      return asks ? planExamined(wanted, await examine(wanted, azure)) : planAzure(wanted)
    },
    deploy: (wanted, deploying) => deployAzure(wanted, deploying, pausing(azure, deploying)),
    receive: (wanted, deploying) => receiveAzure(wanted, deploying, pausing(azure, deploying)),
    leave: (known, deploying) => leaveAzure(known, deploying, pausing(azure, deploying)),
    read: async (known) => readAzure(known, azure),
    reach: () => azure.fetch,
    standing: (known) => standing(known, azure),
    removal: (known, erases) => removal(known, azure, erases),
  }
}

/** What no region is called need not be asked of Azure, which says whether there is one of that name. @throws AmpereError CONFIGURATION */
function checkRegionName(region: string): void {
  if (/^[a-z]{4,}\d{0,2}$/.test(region)) return
  throw new AmpereError(
    'CONFIGURATION',
    `Azure has no region ${plain(region).slice(0, 40)}: they are called as westeurope is`,
  )
}

function pausing(azure: Azure, { pause }: Pick<Deploying, 'pause'>): Azure {
  return { ...azure, connection: { ...azure.connection, pause } }
}

async function standing(known: CloudDeployment, azure: Azure): Promise<Standing> {
  const { arm, place } = await enter(known, azure)
  const isThere = await findGroup(arm, place)
  const status = isThere ? ((await deploymentState(arm, place)) ?? 'empty') : null
  const stores = {
    name: `resource group ${place.group}`,
    status,
    isWhole: status === 'Succeeded',
  }
  const wanted = settingsOf(known.stage, { ...DEFAULTS, ...known.parameters }).identities.length
  const sites = isThere
    ? ((await arm.list(`${groupPath(place)}/providers/Microsoft.Web/sites`, API.web)) as readonly {
        properties?: { state?: string }
      }[])
    : []
  const running = sites.filter(({ properties }) => properties?.state === 'Running').length
  const says = sites.length === 0 ? null : `${running} of ${wanted} running`
  return { stores, functions: { name: 'function apps', status: says, isWhole: running === wanted } }
}

async function removal(known: CloudDeployment, azure: Azure, erases: boolean): Promise<Removal> {
  const { arm, place } = await enter(known, azure)
  const { group, region, subscription } = place
  const isThere = (await findGroup(arm, place)) && (erases || (await doesRun(arm, place)))
  const where = `Subscription ${subscription}, ${region}:`
  if (erases)
    return {
      says: [
        `${where} deletes the resource group ${group}: every table, object and key, the address and all that runs.`,
        'Every record that no mirror holds is gone for ever. Azure can restore tables for 7 days and keys for 90, and keeps the name of the vault so long: until then this stage is not deployed again in this subscription.',
      ],
      remove: () => removeGroup(arm, place, azure.connection),
      isThere,
      removed: `the resource group ${group} with all that it held`,
    }
  return {
    says: [
      `${where} removes all functions and their alarms from the resource group ${group}.`,
      `Keeps every table, object and key, every identity, and the address ${originOf(known) ?? ''}.`,
      'Nobody is answered until it is deployed again.',
    ],
    remove: () => removeRunning(arm, place, azure.connection),
    isThere,
    removed: `functions and alarms of ${group}`,
  }
}
