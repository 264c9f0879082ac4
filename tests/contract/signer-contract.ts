// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8 } from '#core/bytes/encoding.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import { createVerifier } from '#core/crypto/signature.ts'
import type { KeyName } from '#core/ports/needs.ts'
import { itUnless, sharedPlatform, type Subject } from './subject.ts'

const SIGNING = [
  'head',
  'instance',
  'bridge',
  'institution',
  'controller',
] as const satisfies readonly KeyName[]
/** Half the order of P-256, SEC 2 section 2.4.2. */
const HALF_ORDER = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n

/** What every adapter of the signer port promises. */
export function signerContract(subject: Subject): void {
  describe(`${subject.name}: signers`, () => {
    const platform = sharedPlatform(subject)

    it.each(SIGNING)('%s signs what its public key verifies, and nothing else', async (name) => {
      const signer = await platform().signer(name)
      const verifier = await createVerifier(signer.publicKey)
      expect({ alg: verifier.alg, kid: verifier.kid }).toEqual({ alg: signer.alg, kid: signer.kid })
      const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 })
      await fc.assert(
        fc.asyncProperty(bytes, fc.nat(), async (message, at) => {
          const signature = await signer.sign(message)
          expect(await verifier.verify(message, signature)).toBe(true)
          const other = message.map((byte, i) => (i === at % message.length ? byte ^ 1 : byte))
          expect(await verifier.verify(other, signature)).toBe(false)
        }),
        { numRuns: 8 },
      )
    })

    it('are each bound to a key of its own, whose thumbprint names it', async () => {
      const signers = await Promise.all(SIGNING.map((name) => platform().signer(name)))
      expect(new Set(signers.map((signer) => signer.kid)).size).toBe(SIGNING.length)
      expect(signers.map((signer) => signer.kid)).toEqual(
        signers.map((signer) => thumbprint(signer.publicKey)),
      )
    })

    it('are the same however often they are asked for', async () => {
      const [first, second] = await Promise.all([platform().signer('head'), platform().signer('head')])
      const third = await platform().signer('head')
      expect([second.kid, third.kid]).toEqual([first.kid, first.kid])
    })

    it('reject a key of another use', async () => {
      await expect(platform().signer('sealing')).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' })
    })

    it('of ES256 give r || s with low s always', async () => {
      const signer = await platform().signer('instance')
      expect(signer.alg).toBe('ES256')
      for (let i = 0; i < 64; i++) {
        const signature = await signer.sign(utf8(`message ${i}`))
        expect(signature).toHaveLength(64)
        const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`)
        expect({ i, low: s <= HALF_ORDER }).toEqual({ i, low: true })
      }
    })

    it('sign many things at once without mixing them up', async () => {
      const signer = await platform().signer('controller')
      const verifier = await createVerifier(signer.publicKey)
      const messages = Array.from({ length: 50 }, (_, i) => utf8(`message ${i}`))
      const signatures = await Promise.all(messages.map((message) => signer.sign(message)))
      const verified = signatures.map((signature, i) =>
        verifier.verify(messages[i] ?? new Uint8Array(0), signature),
      )
      expect(await Promise.all(verified)).toEqual(messages.map(() => true))
    })

    itUnless(subject.skips.reopen, 'keep algorithm and key when opened again', async () => {
      const { platform: first, reopen } = await subject.open()
      const before = await Promise.all(SIGNING.map((name) => first.signer(name)))
      await first.close()
      const second = await reopen()
      const after = await Promise.all(SIGNING.map((name) => second.signer(name)))
      const named = before.map(({ alg, kid, publicKey }) => ({ alg, kid, publicKey }))
      expect(after.map(({ alg, kid, publicKey }) => ({ alg, kid, publicKey }))).toEqual(named)
      for (const [i, signer] of after.entries()) {
        const verifier = await createVerifier(before[i]?.publicKey ?? signer.publicKey)
        expect(await verifier.verify(utf8('x'), await signer.sign(utf8('x')))).toBe(true)
      }
      await second.close()
    })
  })
}
