// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { rawSignature } from '#adapters/aws/keys/ecdsa-der.ts'
import { openAws } from '#adapters/aws/open.ts'
import { fromHex, toHex, utf8 } from '#core/bytes/encoding.ts'
import { createVerifier } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import type { KeyName } from '#core/ports/needs.ts'
import { unwrapperContract } from '#tests/contract/unwrapper-contract.ts'
import { fakeKms, type FakeKms } from './fakes/fake-kms.ts'
import { CREDENTIALS } from './stack.ts'

const held: { kms?: FakeKms } = {}
beforeAll(async () => {
  held.kms = await fakeKms()
})
afterAll(async () => held.kms?.close())
function theKms(): FakeKms {
  if (!held.kms) throw new Error('the fake was not started')
  return held.kms
}

function openWith(kms: Partial<Record<KeyName, string>>) {
  return openAws({
    region: 'eu-central-1',
    credentials: CREDENTIALS,
    endpoint: { kms: theKms().url },
    naming: { prefix: 'ampere', buckets: {}, keys: { kms } },
  })
}

unwrapperContract({
  name: 'aws with a fake KMS that authenticates',
  skips: {},
  open: async () => {
    const keys = { sealing: theKms().makeKey('SYMMETRIC_DEFAULT') }
    return { platform: openWith(keys), reopen: async () => openWith(keys) }
  },
})

/** On both sides of what KMS takes raw. */
const LENGTHS = [1, 4096, 4097, 100_000]

describe('keys of a log and a witness in a fake KMS', () => {
  it.each(['log-quantum', 'witness-quantum'] as const)('%s signs texts of any length', async (name) => {
    const platform = openWith({ [name]: theKms().makeKey('ML_DSA_44') })
    const signer = await platform.signer(name)
    const verifier = await createVerifier(signer.publicKey)
    expect([signer.alg, signer.kid]).toEqual(['ML-DSA-44', verifier.kid])
    for (const length of LENGTHS) {
      const bytes = new Uint8Array(length).fill(7)
      const signature = await signer.sign(bytes)
      expect({ length, good: await verifier.verify(bytes, signature) }).toEqual({ length, good: true })
      expect(await verifier.verify(new Uint8Array(length), signature)).toBe(false)
    }
    await platform.close()
  })

  it('witness signs up to 4,096 bytes, and says so of more', async () => {
    const platform = openWith({ witness: theKms().makeKey('ECC_NIST_EDWARDS25519') })
    const signer = await platform.signer('witness')
    const verifier = await createVerifier(signer.publicKey)
    const bytes = new Uint8Array(4096).fill(7)
    expect(await verifier.verify(bytes, await signer.sign(bytes))).toBe(true)
    await expect(signer.sign(new Uint8Array(4097))).rejects.toThrow(
      new AmpereError(
        'KEY_UNAVAILABLE',
        'KMS signs up to 4096 bytes with Ed25519: use a software key for what is longer',
      ),
    )
    await platform.close()
  })

  it('sign ES256 with low s whatever KMS answers', async () => {
    const platform = openWith({ instance: theKms().makeKey('ECC_NIST_P256') })
    const signer = await platform.signer('instance')
    const verifier = await createVerifier(signer.publicKey)
    for (let i = 0; i < 64; i++) {
      const bytes = utf8(`message ${i}`)
      const signature = await signer.sign(bytes)
      expect({ i, good: await verifier.verify(bytes, signature) }).toEqual({ i, good: true })
    }
    await platform.close()
  })

  it('are refused where the key is another one than its name says', async () => {
    const wrong = {
      witness: 'ECC_NIST_P256',
      instance: 'ECC_NIST_EDWARDS25519',
      'log-quantum': 'ECC_NIST_P256',
    } as const
    for (const [name, spec] of Object.entries(wrong)) {
      const platform = openWith({ [name]: theKms().makeKey(spec) })
      await expect(platform.signer(name as keyof typeof wrong)).rejects.toMatchObject({
        code: 'KEY_UNAVAILABLE',
        message: expect.stringContaining('a key of KMS is not one of'),
      })
      await platform.close()
    }
  })

  it('say which key is disabled', async () => {
    const id = theKms().makeKey('SYMMETRIC_DEFAULT')
    const platform = openWith({ sealing: id })
    const unwrapper = await platform.unwrapper('sealing')
    theKms().disable(id)
    await expect(unwrapper.wrap(new Uint8Array(32))).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: `key ${id} is disabled, about to be deleted, or for another use`,
    })
    await platform.close()
  })
})

describe('a signature of P-256 in DER', () => {
  const raw = (der: string) => toHex(rawSignature(fromHex(der)))
  const pad = (hex: string) => hex.padStart(64, '0')

  it('is taken apart whatever the lengths of its integers', () => {
    expect(raw('3006020101020102')).toBe(pad('01') + pad('02'))
    expect(raw(`3045022100${'ff'.repeat(32)}0220${'7f'.repeat(32)}`)).toBe('ff'.repeat(32) + '7f'.repeat(32))
    expect(raw('3007020200ff020102')).toBe(pad('ff') + pad('02'))
  })

  it.each([
    ['3000', 'nothing'],
    ['3006020101020102ff', 'more bytes'],
    ['30060201010201', 'fewer bytes'],
    ['3106020101020102', 'another tag'],
    ['3006030101020102', 'another tag inside'],
    ['30050200020102', 'an empty integer'],
    ['3003020101', 'one integer'],
    ['3009020101020102020103', 'three integers'],
    [`3026022101${'00'.repeat(32)}020101`, 'an integer of more than 32 bytes'],
  ])('is refused with %s (%s)', (der) => {
    expect(() => raw(der)).toThrow(
      new AmpereError('KEY_UNAVAILABLE', 'what KMS gave is no signature of P-256'),
    )
  })
})
