// SPDX-License-Identifier: Apache-2.0
import { codeOf, shownCode } from '../../bytes/code.ts'
import { toBase64url, utf8 } from '../../bytes/encoding.ts'
import { frame } from '../../bytes/frame.ts'
import type { Kid } from '../../bytes/ids.ts'
import type { Controller } from '../../block/block.ts'
import { sha256 } from '../../crypto/hash.ts'
import { hkdfExpand } from '../../crypto/hkdf.ts'
import { sealingPublicKey } from '../../crypto/hpke.ts'
import { softwareSigner } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Identity } from '../client.ts'

/** A patient's device, or printed sheet, as a chain lists it. */
export type DeviceMember = Extract<Controller, { kind: 'device' }>

/** The keys of a device or of a sheet, in memory. */
export interface DeviceKeys {
  readonly signer: Signer
  readonly identity: Identity
  readonly member: DeviceMember
}

/** Bytes of the seed that a sheet has printed on it. Part of the format. */
export const SHEET_SEED_BYTES = 32

/** A device by its signing key and the 32-byte seed of its sealing key. */
export function deviceKeys(signer: Signer, sealingSeed: Uint8Array): DeviceKeys {
  const { kid, publicKey } = signer
  return {
    signer,
    identity: { reader: kid, institution: null, signer, sealingSeed: async () => sealingSeed },
    member: { kind: 'device', kid, jwk: publicKey, sealing: toBase64url(sealingPublicKey(sealingSeed)) },
  }
}

/**
 * The keys of a printed sheet: HKDF-Expand (RFC 5869) with SHA-256 of its seed, which is uniformly random, under one label for
 * each key. docs/PROTOCOL.md has the labels.
 * @throws AmpereError KEY_MALFORMED for a seed of another length
 */
export async function sheetKeys(seed: Uint8Array): Promise<DeviceKeys> {
  if (seed.length !== SHEET_SEED_BYTES)
    throw new AmpereError('KEY_MALFORMED', 'the seed of a sheet has 32 bytes')
  const derived = (label: string) => hkdfExpand('SHA-256', seed, frame('ampere-sheet/v1', label), 32)
  return deviceKeys(await softwareSigner('Ed25519', derived('sign')), derived('seal'))
}

/** 80 bits: who makes keys to fit one has 2^80 of them to make. */
const CHARACTERS = 16

/** What two people compare who want to know whether they see the same device: the first 80 bits of SHA-256 of its key id, in groups of four. */
export function fingerprintOf(kid: Kid): string {
  return shownCode(codeOf(sha256(frame('ampere-fingerprint/v1', utf8(kid))), CHARACTERS))
}

/** True where a fingerprint begins with these characters, four or more, however they are grouped. */
export function isFingerprintOf(kid: Kid, start: string): boolean {
  const typed = start.toUpperCase().replaceAll('-', '')
  return typed.length >= 4 && fingerprintOf(kid).replaceAll('-', '').startsWith(typed)
}
