// SPDX-License-Identifier: Apache-2.0
import { refuse } from '../../program/refuse.ts'
import { homeFolderOf, readCloudDeployment, type CloudDeployment } from '../cloud-folder.ts'

/** The home that a bridge uses. */
export type UsedHome = NonNullable<CloudDeployment['home']>

/** What is remembered of the home of a deployment, which may be another one's, in another cloud. */
export interface Used {
  readonly folder: string
  readonly deployment: CloudDeployment
  readonly home: UsedHome
}

/** The home that the bridge of a deployment uses: its own, or that of the deployment that it names. @throws AmpereError NOT_FOUND */
export function usedDeployment(folder: string, own: CloudDeployment): Used {
  const { bridge } = own
  const used = bridge ? homeFolderOf(folder, bridge) : folder
  const deployment = used === folder ? own : readCloudDeployment(used)
  if (deployment?.home) return { folder: used, deployment, home: deployment.home }
  const name = bridge?.uses ?? `${own.provider}-${own.stage}`
  throw refuse(
    'NOT_FOUND',
    `no home was deployed as ${name} from this data folder`,
    `npx ampere deploy ${name.replace('-', ' --stage ')}`,
  )
}

/** What is known of that home. @throws AmpereError NOT_FOUND */
export function usedHome(folder: string, own: CloudDeployment): UsedHome {
  return usedDeployment(folder, own).home
}
