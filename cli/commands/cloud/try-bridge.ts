// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { Now } from '#core/ports/keys.ts'
import { bridgeElsewhere } from '../../cloud/bridge/elsewhere.ts'
import { usedDeployment } from '../../cloud/bridge/used-home.ts'
import type { Cloud } from '../../cloud/cloud.ts'
import { originOf, type CloudDeployment } from '../../cloud/cloud-folder.ts'
import type { Provider } from '../../cloud/providers.ts'
import { connectActive } from '../../open/bridge.ts'
import { openInstitution } from '../../open/institution.ts'
import { enrolBridge, untilAnswers } from './enrol-bridge.ts'

/** What a bridge is tried with. */
interface Trying {
  /** Where the bridge is. */
  readonly cloud: Cloud
  /** Opens the cloud of its home, where that is another one. */
  readonly openOther: (provider: Provider) => Promise<Cloud>
  readonly passphrase: StretchedPassphrase
  readonly pause: (ms: number) => Promise<void>
  readonly now: Now
  readonly say: (line: string) => void
}

/**
 * Has the bridge listed in the registry of its home, waits until it answers, and hands over to it what commands kept here while it was
 * not there: before anybody is registered who could file with it.
 * @returns the app instance that it is
 */
export async function tryBridge(
  folder: string,
  deployed: CloudDeployment,
  { cloud, openOther, passphrase, pause, now, say }: Trying,
): Promise<string> {
  const used = usedDeployment(folder, deployed)
  const reach = async (provider: Provider, origin: string) =>
    (provider === cloud.provider ? cloud : await openOther(provider)).reach(origin)
  const homeFetch = await reach(used.deployment.provider, used.home.origin)
  const instance = await enrolBridge(folder, deployed, passphrase, homeFetch)
  const origin = originOf(deployed) ?? used.home.origin
  await untilAnswers(origin, cloud.reach(origin), pause)
  const opened = await openInstitution(used.folder, deployed.bridge?.institution ?? '', passphrase)
  const { institution } = await connectActive(opened, used.home, homeFetch)
  await bridgeElsewhere(used.folder, { reach, now, say })(institution)
  return instance
}
