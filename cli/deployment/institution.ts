// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openKeyring, type Keyring } from '#adapters/local/keyring.ts'
import { asInstanceId, asInstitutionId, type InstitutionId } from '#core/bytes/ids.ts'
import type { SeenHeads } from '#core/client/client.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { institutionRecords, keyRecord } from '#core/registry/build.ts'
import type { InstanceRecord, RegistryRecord } from '#core/registry/records.ts'

/** An institution's keys on this machine. In a deployment of its own each would live in a KMS. */
export interface Institution {
  readonly id: InstitutionId
  readonly folder: string
  readonly keyring: Keyring
  readonly root: Signer
  /** Two app instances: erasing needs both, so that one stolen key cannot erase. */
  readonly instance: Signer
  readonly second: Signer
  readonly sealingSeed: Uint8Array
  /** Secret of the bridge's patient index. */
  readonly indexKey: Uint8Array
}

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** Opens an institution's keys, making them on first use. */
export async function openInstitution(folder: string, id: string, passphrase: string): Promise<Institution> {
  const own = join(folder, 'institutions', id)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  const keyring = openKeyring(join(own, 'keys.json'), passphrase, random)
  return {
    id: asInstitutionId(id),
    folder: own,
    keyring,
    root: await keyring.signer('root', 'ES256'),
    instance: await keyring.signer('instance-1', 'ES256'),
    second: await keyring.signer('instance-2', 'ES256'),
    sealingSeed: keyring.seed('sealing'),
    indexKey: keyring.seed('bridge-index'),
  }
}

/** The registry records with which an institution founds or joins a registry. */
export async function foundingRecords(institution: Institution, name: string): Promise<RegistryRecord[]> {
  const { id, keyring, root, instance, second, sealingSeed } = institution
  const recovery = await keyring.signer('recovery', 'ES256')
  const records: RegistryRecord[] = [
    ...institutionRecords({
      id,
      name,
      root: root.publicKey,
      recovery: recovery.publicKey,
      sealingKey: sealingPublicKey(sealingSeed),
    }),
  ]
  for (const [index, signer] of [instance, second].entries()) {
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

/** Heads that this installation saw, in a file: a rolled-back home is noticed after a restart as well. */
export function fileSeen(folder: string): SeenHeads {
  const file = join(folder, 'seen.json')
  const heads = new Map<string, Awaited<ReturnType<SeenHeads['load']>>>(
    existsSync(file) ? Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, never>) : [],
  )
  return {
    load: async (chain) => heads.get(chain) ?? null,
    save: async (chain, head) => {
      heads.set(chain, head)
      writeFileSync(`${file}.tmp`, JSON.stringify(Object.fromEntries(heads)), { mode: 0o600 })
      renameSync(`${file}.tmp`, file)
    },
  }
}
