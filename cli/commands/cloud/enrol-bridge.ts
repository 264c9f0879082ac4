// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { asInstanceId, type InstanceId } from '#core/bytes/ids.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { keyRecord } from '#core/registry/build.ts'
import type { InstanceRecord } from '#core/registry/records.ts'
import { getRecord, type RegistryState } from '#core/registry/state.ts'
import { failure } from '#infra/deploy/failure.ts'
import { homeFolderOf, type CloudDeployment } from '../../cloud/cloud-folder.ts'
import { usedHome } from '../../cloud/bridge/used-home.ts'
import { openInstitution } from '../../open/institution.ts'
import { addChange, connectRoot, instancesIn } from '../instances/registry-session.ts'

/** What a bridge has to do: make records, and let others read them. It identifies no patients' devices. */
const CAPABILITIES: InstanceRecord['capabilities'] = ['control', 'create']
/** For how long a bridge is waited for, and between two tries, in milliseconds. */
const ANSWERS_MS = 120_000
const AGAIN_MS = 2000

/**
 * Has the institution's root key, which is on this computer, list the key with which the bridge signs. What is listed already stays.
 * @param folder the deployment's own
 * @returns the app instance that the bridge is
 */
export async function enrolBridge(
  folder: string,
  deployment: CloudDeployment,
  passphrase: StretchedPassphrase,
  fetch: Fetch,
): Promise<InstanceId> {
  const { bridge, provider, stage } = deployment
  if (!bridge?.made) throw failure('the bridge was not set up', 'run the same command again')
  const institution = await openInstitution(homeFolderOf(folder, bridge), bridge.institution, passphrase)
  const connection = await connectRoot({ settings: usedHome(folder, deployment), fetch }, institution)
  const { key } = bridge.made
  const signing = thumbprint(key)
  const state = () => {
    const link = connection.sync.registry.link()
    if (!link) throw failure('the registry of the home is empty', 'check that it is the home that was meant')
    return link.state
  }
  const listed = (at: RegistryState) =>
    instancesIn(at).find((instance) => instance.signing === signing && instance.status === 'active')
  const known = listed(state())
  if (known) return known.id
  const id = freeId(`${institution.id}-${provider}-${stage}`, state())
  const instance: InstanceRecord = {
    v: 1,
    kind: 'instance',
    id,
    institution: institution.id,
    status: 'active',
    capabilities: CAPABILITIES,
    signing,
  }
  const record = keyRecord(key, 'sign', { institution: institution.id, instance: id })
  await addChange(
    connection,
    institution,
    { act: 'enrol', instance, key: record },
    (at) => listed(at) !== undefined,
  )
  return id
}

function freeId(base: string, state: RegistryState): InstanceId {
  for (let number = 1; ; number++) {
    const id = asInstanceId(number === 1 ? base : `${base}-${number}`)
    if (getRecord(state, `instance/${id}`) === null) return id
  }
}

/** Waits until a bridge says what it is: it has opened its secrets then. @throws DeployFailure */
export async function untilAnswers(
  origin: string,
  ask: Fetch,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  let said = 'nothing'
  for (let waited = 0; waited <= ANSWERS_MS; waited += AGAIN_MS) {
    said = await bridgeSays(origin, ask)
    if (said === 'ok') return
    await pause(AGAIN_MS)
  }
  throw failure(
    `${origin}/fhir does not answer as it should after ${ANSWERS_MS / 1000} s: ${said}`,
    'look at the log of the function bridge, then run this again',
  )
}

/** What a bridge says of itself: `ok`, or what is wrong. */
export async function bridgeSays(origin: string, ask: Fetch): Promise<string> {
  try {
    const answer = await ask(new Request(`${origin}/fhir/metadata`))
    return answer.ok ? 'ok' : `${answer.status} ${(await answer.text()).slice(0, 300)}`
  } catch (error) {
    return error instanceof Error ? error.message : 'no answer'
  }
}
