// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { openWrappedKeys, type KeptSeeds, type WrappingKey } from '#adapters/wrapped/wrapped-keys.ts'
import { hostRandom } from '#adapters/memory/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createKeyWrapper } from '#core/crypto/key-wrap.ts'
import { createVerifier } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'

/** A key service in memory: one key-encrypting key by name. */
function keyService(): WrappingKey {
  const keys = new Map<string, Uint8Array>()
  const wrapper = (name: string) => {
    const kek = keys.get(name) ?? hostRandom(32)
    keys.set(name, kek)
    return createKeyWrapper(kek)
  }
  return {
    wrap: async (name, seed) => (await wrapper(name)).wrap(seed),
    unwrap: async (name, wrapped) => (await wrapper(name)).unwrap(wrapped),
  }
}

function seedStore(): KeptSeeds & { readonly rows: Map<string, Uint8Array> } {
  const rows = new Map<string, Uint8Array>()
  return {
    rows,
    read: async (name) => rows.get(name) ?? null,
    keep: async (name, wrapped) => {
      if (rows.has(name)) return 'exists'
      rows.set(name, wrapped)
      return 'kept'
    },
  }
}

describe('software keys that a provider wraps', () => {
  it('are made once, however many processes begin at the same time', async () => {
    const [wrapping, kept] = [keyService(), seedStore()]
    const open = () => openWrappedKeys({ wrapping, kept, random: hostRandom, makes: true })
    const signers = await Promise.all(Array.from({ length: 8 }, () => open()('log')))
    expect(new Set(signers.map((signer) => signer.kid)).size).toBe(1)
    const [signer] = signers
    if (!signer) throw new Error('no signer')
    const verifier = await createVerifier(signer.publicKey)
    expect(await verifier.verify(utf8('x'), await signer.sign(utf8('x')))).toBe(true)
  })

  it('lie in the store only wrapped, and are unwrapped once in each process', async () => {
    const [service, kept] = [keyService(), seedStore()]
    const seeds: Uint8Array[] = []
    let unwraps = 0
    const wrapping: WrappingKey = {
      wrap: (name, seed) => {
        seeds.push(seed)
        return service.wrap(name, seed)
      },
      unwrap: (name, wrapped) => {
        unwraps++
        return service.unwrap(name, wrapped)
      },
    }
    const keys = openWrappedKeys({ wrapping, kept, random: hostRandom, makes: true })
    await Promise.all([keys('head'), keys('head')])
    await keys('head')
    expect(unwraps).toBe(1)
    expect(seeds).toHaveLength(1)
    expect(Buffer.from(kept.rows.get('head') ?? []).includes(Buffer.from(seeds[0] ?? []))).toBe(false)
  })

  it('are not made by a role, which says which key is missing', async () => {
    const kept = seedStore()
    const keys = openWrappedKeys({ wrapping: keyService(), kept, random: hostRandom, makes: false })
    await expect(keys('log')).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: expect.stringContaining('log'),
    })
    expect(kept.rows.size).toBe(0)
  })

  it('do not open under the name of another key', async () => {
    const [wrapping, kept] = [keyService(), seedStore()]
    const keys = openWrappedKeys({ wrapping, kept, random: hostRandom, makes: true })
    await keys('log')
    kept.rows.set('witness', kept.rows.get('log') ?? new Uint8Array(0))
    await expect(keys('witness')).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })

  it('are asked for again after a failure', async () => {
    const [wrapping, kept] = [keyService(), seedStore()]
    let fails = true
    const failing: KeptSeeds = {
      ...kept,
      read: async (name) => {
        if (fails) throw new AmpereError('STORE_UNAVAILABLE', 'the store does not answer')
        return kept.read(name)
      },
    }
    const keys = openWrappedKeys({ wrapping, kept: failing, random: hostRandom, makes: true })
    await expect(keys('head')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    fails = false
    expect((await keys('head')).alg).toBe('Ed25519')
  })

  it('refuse the name of a key that unwraps', async () => {
    const keys = openWrappedKeys({
      wrapping: keyService(),
      kept: seedStore(),
      random: hostRandom,
      makes: true,
    })
    await expect(keys('sealing')).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' })
  })
})
