// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withWitness } from '#cli/witness/policy-text.ts'
import { formatVerifierKey, type LogKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { quorumOf } from '#core/log/policy/quorum.ts'
import { signerOf } from '#tests/core/log/signers.ts'

const log = [(await signerOf('h.test/log', 'Ed25519', 1)).key]
const witness = async (host: string, seed: number) => ({
  url: `https://${host}/witness`,
  keys: [
    (await signerOf(`${host}/witness`, 'cosignature-Ed25519', seed)).key,
    (await signerOf(`${host}/witness`, 'cosignature-ML-DSA-44', seed + 1)).key,
  ],
})
const [a, b, c] = [await witness('a.test', 10), await witness('b.test', 20), await witness('c.test', 30)]
const satisfied = (text: string, ...keys: LogKey[]) => quorumOf(parsePolicy(text), keys).satisfied

describe('adding a witness to a policy', () => {
  it('begins a policy with the keys of the log, and wants every key of the one witness', () => {
    const { text, quorum } = withWitness(null, log, a)
    expect(quorum).toEqual({ need: 1, of: 1 })
    expect(parsePolicy(text).logs.map(({ key }) => key)).toEqual(log)
    expect([satisfied(text, ...a.keys), satisfied(text, ...a.keys.slice(1)), satisfied(text)]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('wants more than half of the organisations unless it is told how many', () => {
    const one = withWitness(null, log, a).text
    const two = withWitness(one, log, b)
    const three = withWitness(two.text, log, c)
    expect([two.quorum, three.quorum]).toEqual([
      { need: 2, of: 2 },
      { need: 2, of: 3 },
    ])
    expect(satisfied(three.text, ...a.keys, ...c.keys)).toBe(true)
    expect(satisfied(three.text, ...a.keys, ...c.keys.slice(1))).toBe(false)
    const any = withWitness(two.text, log, c, 1)
    expect([any.quorum, satisfied(any.text, ...b.keys)]).toEqual([{ need: 1, of: 3 }, true])
  })

  it('changes nothing when it is there already, and only the quorum when that is given', () => {
    const two = withWitness(withWitness(null, log, a).text, log, b).text
    expect(withWitness(two, log, a)).toEqual({ text: two, isChanged: false, quorum: { need: 2, of: 2 } })
    const loosened = withWitness(two, log, a, 1)
    expect([loosened.isChanged, satisfied(loosened.text, ...b.keys)]).toEqual([true, true])
    expect(withWitness(loosened.text, log, a, 1).isChanged).toBe(false)
  })

  it('keeps every line that somebody wrote', () => {
    const before = `# ours\n${withWitness(null, log, a).text}# end\n`
    const kept = before.split('\n').filter((line) => line !== '' && !line.startsWith('quorum'))
    const { text } = withWitness(before, log, b)
    expect(text.split('\n')).toEqual(expect.arrayContaining(kept))
  })

  it('refuses a count that no quorum can have', () => {
    for (const need of [0, 2]) expect(() => withWitness(null, log, a, need)).toThrow('--quorum is 1 to 1')
  })

  it('refuses other keys under a known name, and known keys at another URL', () => {
    const { text } = withWitness(null, log, a)
    const other = { url: a.url, keys: [a.keys[0] ?? b.keys[0], { ...a.keys[1] }] as LogKey[] }
    expect(() => withWitness(text, log, { ...other, url: 'https://elsewhere.test' })).toThrow('another URL')
    const stolen = { url: a.url, keys: b.keys.map((key) => ({ ...key, name: 'a.test/witness' })) }
    expect(() => withWitness(text, log, stolen)).toThrow('that name with other keys')
  })

  it('does not touch a quorum that was written by hand', () => {
    const [first, second] = a.keys.map(formatVerifierKey)
    const by = `log ${formatVerifierKey(log[0] as LogKey)}\nwitness x ${first ?? ''}\nwitness y ${second ?? ''}\n`
    expect(() => withWitness(`${by}group q any x y\nquorum q\n`, log, b)).toThrow('written by hand')
  })
})
