// SPDX-License-Identifier: Apache-2.0
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { deploymentId, digest, institutionId } from '#core/bytes/schema.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { readAs } from '../deployment/json-file.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { MIRROR_NEEDS, type MirrorPorts } from '#core/server/mirror/copy-of.ts'
import type { MirroredHome } from '#core/server/mirror/mirrored-home.ts'
import { refuse } from '../program/refuse.ts'
import { actingInstance, openInstitution } from './institution.ts'

const schema = v.strictObject({
  v: v.literal(1),
  homes: v.array(
    v.strictObject({
      deployment: deploymentId,
      origin: v.string(),
      registry: digest,
      log: v.array(v.string()),
      /** Who witnesses its log, as its operator said: a file in the format of c2sp.org/tlog-policy. */
      policy: v.optional(v.string()),
      institution: institutionId,
    }),
  ),
})

/** A home that a data folder mirrors, as its file `mirror.json` says; no secret is in it. */
export type MirroredEntry = v.InferOutput<typeof schema>['homes'][number]

/** The homes that a data folder mirrors. @throws AmpereError STORE_CORRUPT */
export function readMirrored(folder: string): readonly MirroredEntry[] {
  return readAs(join(folder, 'mirror.json'), schema)?.homes ?? []
}

/** Replaces the list as a whole. */
export function writeMirrored(folder: string, homes: readonly MirroredEntry[]): void {
  const file = join(folder, 'mirror.json')
  writeFileSync(`${file}.tmp`, `${JSON.stringify({ v: 1, homes }, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}

/**
 * Adds a home to the list, or replaces what was pinned of it. @returns false where it was there just so
 * @throws AmpereError ALREADY_EXISTS for another home whose deployment has the same id: their copies would be one
 */
export function addMirroredHome(folder: string, entry: MirroredEntry): boolean {
  const all = readMirrored(folder)
  const known = all.find(({ deployment }) => deployment === entry.deployment)
  if (known && (known.origin !== entry.origin || known.registry !== entry.registry))
    throw refuse(
      'ALREADY_EXISTS',
      `${known.origin} is mirrored here and is called ${known.deployment} too: one folder cannot mirror both`,
      'mirror it from a data folder of its own: --data FOLDER',
    )
  // A policy that was given stays until another one is.
  const next = { ...(known?.policy === undefined ? {} : { policy: known.policy }), ...entry }
  if (known && JSON.stringify(sorted(known)) === JSON.stringify(sorted(next))) return false
  writeMirrored(folder, [...all.filter((each) => each !== known), next])
  return true
}

function sorted(entry: MirroredEntry): unknown {
  return Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Ports and pins of every home that the deployment at `own`, of this folder, mirrors; each is asked as the institution that it grants to hold. */
export async function openMirrored(
  folder: string,
  own: string,
  platform: Platform,
  passphrase: string | StretchedPassphrase,
): Promise<readonly { readonly ports: MirrorPorts; readonly home: MirroredHome }[]> {
  const verifiers = createVerifiers()
  const stores = await select(platform, { ...MIRROR_NEEDS, keys: { head: 'sign' } })
  return Promise.all(
    readMirrored(folder).map(async (entry) => {
      const instance = actingInstance(await openInstitution(folder, entry.institution, passphrase))
      const logKeys = entry.log.map(parseVerifierKey)
      const policy = entry.policy === undefined ? null : parsePolicy(entry.policy)
      return {
        ports: { ...stores, keys: { ...stores.keys, instance } },
        home: { ...entry, own, logKeys, policy, backupDays: 0, verifiers },
      }
    }),
  )
}
