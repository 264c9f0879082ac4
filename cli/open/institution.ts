// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync } from 'node:fs'
import { type StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openKeyring, type Keyring } from '#adapters/local/keys/keyring.ts'
import { asInstanceId, asInstitutionId, type InstitutionId } from '#core/bytes/ids.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { institutionRecords, keyRecord } from '#core/registry/build.ts'
import type { FoundingRecord, InstanceRecord } from '#core/registry/records.ts'
import { activeInstanceOf, asOf, type RegistryView } from '#core/registry/snapshot.ts'
import { FILE_LOST } from '../program/damaged.ts'
import { refuse } from '../program/refuse.ts'
import { institutionFolder, keyFileOf } from '../deployment/files.ts'

/** An institution's keys on this machine. In a deployment of its own each would live in a KMS. */
export interface Institution {
  readonly id: InstitutionId
  readonly folder: string
  readonly keyring: Keyring
  /** False on a machine that was enrolled: it has app instances, and no root key. */
  readonly hasRoot: boolean
  /** Signers of its app instances. The first acts; erasing needs two, so that one stolen key cannot erase. */
  readonly instances: readonly Signer[]
  /** Empty on a machine that was enrolled without reading. */
  readonly sealingSeed: Uint8Array
  /** Secret of the bridge's patient index. */
  readonly indexKey: Uint8Array
}

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
/** Names of instance keys in the key file. */
const INSTANCE_KEY = /^instance[-/]/
/** What the answer to an enrolment is sealed to; only machines that were enrolled have it. */
export const ENROLMENT_SEED = 'enrolment'
export const SEALING_SEED = 'sealing'
const FOUNDING_INSTANCES = ['instance-1', 'instance-2']

/** Makes an institution's keys. */
export async function makeInstitution(
  folder: string,
  id: string,
  passphrase: StretchedPassphrase,
): Promise<Institution> {
  mkdirSync(institutionFolder(folder, id), { recursive: true, mode: 0o700 })
  const keyring = openKeyring(keyFileOf(folder, id), passphrase, random)
  for (const name of FOUNDING_INSTANCES) await keyring.signer(name, 'ES256')
  return institutionOf(folder, id, keyring)
}

/** Opens an institution's keys. @throws AmpereError KEY_UNAVAILABLE, PASSPHRASE_WRONG, STORE_CORRUPT */
export async function openInstitution(
  folder: string,
  id: string,
  passphrase: string | StretchedPassphrase,
): Promise<Institution> {
  const file = keyFileOf(folder, id)
  if (!existsSync(file)) {
    throw refuse('KEY_UNAVAILABLE', `the key file ${file} is not there`, FILE_LOST)
  }
  return institutionOf(folder, id, openKeyring(file, passphrase, random))
}

async function institutionOf(folder: string, id: string, keyring: Keyring): Promise<Institution> {
  const names = keyring.names().filter((name) => INSTANCE_KEY.test(name))
  const hasRoot = !keyring.names().includes(ENROLMENT_SEED)
  const hasSeed = hasRoot || keyring.names().includes(SEALING_SEED)
  return {
    id: asInstitutionId(id),
    folder: institutionFolder(folder, id),
    keyring,
    hasRoot,
    instances: await Promise.all(names.map((name) => keyring.signer(name, 'ES256'))),
    // A seed that is asked for by a name is made, and one that nobody else has opens nothing.
    sealingSeed: hasSeed ? keyring.seed(SEALING_SEED) : new Uint8Array(0),
    indexKey: keyring.seed('bridge-index'),
  }
}

/** The same institution with only those instances that the registry lists as active. */
export function withActiveInstances(institution: Institution, newest: RegistryView): Institution {
  const view = asOf(newest, Date.now())
  const instances = institution.instances.filter(({ kid }) => activeInstanceOf(view, kid) !== null)
  return { ...institution, instances }
}

/** The instance that acts. @throws AmpereError KEY_UNAVAILABLE when none is left */
export function actingInstance(institution: Institution): Signer {
  const [signer] = institution.instances
  if (signer) return signer
  const message = `${institution.id} has no active app instance on this machine`
  const next = institution.hasRoot
    ? `npx ampere instance enrol --as ${institution.id}`
    : 'its key was revoked, or has expired: enrol it anew (docs/OPERATIONS.md, "Another machine of an institution")'
  throw refuse('KEY_UNAVAILABLE', message, next)
}

/** Whoever may ask in the institution's name: its root key, or where that is not here an app instance. */
export async function askingSigner(institution: Institution): Promise<Signer> {
  return institution.hasRoot ? rootSigner(institution) : actingInstance(institution)
}

/** The seed with which the institution reads. @throws AmpereError KEY_UNAVAILABLE on a machine that was enrolled without it */
export function readingSeed({ id, sealingSeed }: Institution): Uint8Array {
  if (sealingSeed.length > 0) return sealingSeed
  const message = `this machine was enrolled without reading: it has no sealing key of ${id}, and neither reads nor writes records`
  throw refuse('KEY_UNAVAILABLE', message, 'enrol another instance with --reads')
}

/** The institution's root key: it signs registry blocks. @throws AmpereError KEY_UNAVAILABLE where it is not */
export async function rootSigner(institution: Institution): Promise<Signer> {
  if (!institution.hasRoot) {
    const message = `the root key of ${institution.id} is not on this machine, which was enrolled`
    throw refuse('KEY_UNAVAILABLE', message, 'run this command where the institution was set up')
  }
  return institution.keyring.signer('root', 'ES256')
}

/** The registry records with which an institution founds or joins a registry. */
export async function foundingRecords(institution: Institution, name: string): Promise<FoundingRecord[]> {
  const { id, keyring, instances, sealingSeed } = institution
  const root = await rootSigner(institution)
  const recovery = await keyring.signer('recovery', 'ES256')
  const records: FoundingRecord[] = [
    ...institutionRecords({
      id,
      name,
      root: root.publicKey,
      recovery: recovery.publicKey,
      sealingKey: sealingPublicKey(sealingSeed),
    }),
  ]
  for (const [index, signer] of instances.entries()) {
    const instanceId = asInstanceId(`${id}-${index + 1}`)
    const record: InstanceRecord = {
      v: 1,
      kind: 'instance',
      id: instanceId,
      institution: id,
      status: 'active',
      capabilities: ['control', 'create', 'identify'],
      signing: signer.kid,
    }
    records.push(record, keyRecord(signer.publicKey, 'sign', { institution: id, instance: instanceId }))
  }
  return records
}
