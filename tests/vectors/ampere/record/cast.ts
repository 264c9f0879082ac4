// SPDX-License-Identifier: Apache-2.0
import { toHex } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import { parseJws } from '#core/block/jws.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { createVerifiers, generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import type { Signer } from '#core/ports/keys.ts'
import { buildChange, buildRegistry, institutionRecords, keyRecord } from '#core/registry/build.ts'
import { createRegistryHistory, type RegistryHistory } from '#core/registry/history.ts'
import type { FoundingRecord } from '#core/registry/records.ts'
import { instanceRecords, ORIGIN, START_MS } from '#tests/deployment.ts'
import { SEED, seededBytes } from '../seeded-bytes.ts'

/** Everybody in the vectors, with keys that are drawn from the seed by name. */
export interface Cast {
  /** Private keys of signers and 32-byte seeds of sealing keys, as hex. */
  readonly seeds: Readonly<Record<string, string>>
  readonly signers: Readonly<Record<SignerName, Signer>>
  readonly sealing: Readonly<Record<'hospital-a' | 'hospital-b' | 'device', Uint8Array>>
  readonly registryBlocks: readonly string[]
  readonly history: RegistryHistory
}

const SIGNERS = [
  'hospital-a root',
  'hospital-a recovery',
  'hospital-a-1',
  'hospital-a-2',
  'hospital-b root',
  'hospital-b recovery',
  'hospital-b-1',
  'hospital-b-2',
  'home-1',
  'device',
] as const
type SignerName = (typeof SIGNERS)[number]

/** Bytes for one purpose: what else is drawn changes nothing in them. */
export const bytesFor = (purpose: string) => seededBytes(`${SEED}/record/${purpose}`)

/** Two hospitals, a patient's device and a home, with a registry of two blocks. */
export async function makeCast(): Promise<Cast> {
  const seeds: Record<string, string> = {}
  const signers: Partial<Record<SignerName, Signer>> = {}
  for (const name of SIGNERS) {
    const { seed } = generateSoftwareKey('Ed25519', bytesFor(name))
    seeds[name] = toHex(seed)
    signers[name] = await softwareSigner('Ed25519', seed)
  }
  const sealing = { 'hospital-a': new Uint8Array(0), 'hospital-b': new Uint8Array(0), device: new Uint8Array(0) }
  for (const name of ['hospital-a', 'hospital-b', 'device'] as const) {
    sealing[name] = bytesFor(`${name} sealing`)(32)
    seeds[`${name} sealing`] = toHex(sealing[name])
  }
  const all = signers as Record<SignerName, Signer>
  const registryBlocks = await makeRegistry(all, sealing)
  const history = createRegistryHistory(idOf(registryBlocks[0] ?? ''), createVerifiers())
  for (const block of registryBlocks) await history.add(block)
  return { seeds, signers: all, sealing, registryBlocks, history }
}

async function makeRegistry(
  signers: Record<SignerName, Signer>,
  sealing: Cast['sealing'],
): Promise<string[]> {
  const records: FoundingRecord[] = []
  const enrolment = (id: 'hospital-a' | 'hospital-b', suffix: '1' | '2') =>
    instanceRecords(`${id}-${suffix}`, asInstitutionId(id), signers[`${id}-${suffix}`], ['control', 'create', 'identify'])
  for (const id of ['hospital-a', 'hospital-b'] as const) {
    const own = institutionRecords({
      id: asInstitutionId(id),
      name: `Institution ${id}`,
      root: signers[`${id} root`].publicKey,
      recovery: signers[`${id} recovery`].publicKey,
      sealingKey: sealingPublicKey(sealing[id]),
    })
    const first = enrolment(id, '1')
    records.push(...own, first.instance, first.key)
  }
  const second = enrolment('hospital-a', '2')
  const deployment = asDeploymentId('home-1')
  const { kid, publicKey } = signers['home-1']
  records.push(second.instance, second.key)
  records.push(
    { v: 1, kind: 'deployment', id: deployment, institution: asInstitutionId('hospital-a'), origin: ORIGIN, kid },
    keyRecord(publicKey, 'head', { deployment }),
    { v: 1, kind: 'rules', home: deployment, demo: true },
  )
  const founders = [signers['hospital-a root'], signers['hospital-b root']]
  const ports = { now: () => START_MS, random: bytesFor('registry') }
  const genesis = await buildRegistry(ports, records, founders)
  const history = createRegistryHistory(idOf(genesis), createVerifiers())
  await history.add(genesis)
  const link = history.link()
  if (!link) throw new Error('the registry is empty')
  const change = { act: 'enrol' as const, ...enrolment('hospital-b', '2') }
  return [genesis, await buildChange(ports, link, [change], signers['hospital-b root'])]
}

function idOf(genesis: string) {
  return parseJws(genesis, 'ampere-registry+jws').id
}
