// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withoutWitness } from '#cli/witness/policy/policy-removal.ts'
import { withWitness } from '#cli/witness/policy/policy-text.ts'
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

describe('removing a witness from a policy', () => {
  const one = withWitness(null, log, a).text
  const two = withWitness(one, log, b).text
  const three = withWitness(two, log, c).text

  it('keeps how many must cosign, and counts it no more', () => {
    const { text, quorum, isChanged, url } = withoutWitness(three, 'b.test/witness')
    expect([quorum, isChanged, url]).toEqual([{ need: 2, of: 2 }, true, b.url])
    expect(satisfied(text, ...a.keys, ...c.keys)).toBe(true)
    expect(satisfied(text, ...a.keys, ...b.keys)).toBe(false)
    expect(text).not.toContain('b.test')
  })

  it('gives back what there was before it was added', () => {
    expect(withoutWitness(two, 'b.test/witness', 1).text).toBe(one)
    expect(withoutWitness(three, 'c.test/witness').text).toBe(two)
  })

  it('refuses what those who are left could not reach, and says what would help', () => {
    expect(() => withoutWitness(two, 'a.test/witness')).toThrow('2 organisations must cosign, and only 1')
    expect(() => withoutWitness(one, 'a.test/witness')).toThrow('nobody would be left to cosign')
    expect(() => withoutWitness(one, 'a.test/witness', 1)).toThrow('nobody would be left to cosign')
    for (const need of [0, 2])
      expect(() => withoutWitness(two, 'a.test/witness', need)).toThrow('--quorum is 1 to 1')
    expect(withoutWitness(two, 'a.test/witness', 1).quorum).toEqual({ need: 1, of: 1 })
  })

  it('changes nothing when it is not there', () => {
    for (const text of [one, three])
      expect(withoutWitness(text, 'd.test/witness')).toMatchObject({ text, isChanged: false })
  })

  it('keeps every other line that somebody wrote', () => {
    const { text } = withoutWitness(`# ours\n${two}\n# end\n`, 'b.test/witness', 1)
    expect(text).toBe(`# ours\n${one.replace(/quorum .*\n/, '')}\n# end\nquorum a.test\n`)
  })

  it('needs no quorum where none is asked for', () => {
    const none = two.replace(/^group witnesses .*\n/m, '').replace(/^quorum .*$/m, 'quorum none')
    const { text, quorum } = withoutWitness(none, 'a.test/witness')
    expect(quorum).toEqual({ need: 0, of: 1 })
    expect(parsePolicy(text).quorum).toBeNull()
    expect(text).not.toContain('a.test')
  })

  it('does not touch a quorum or an organisation that was written by hand', () => {
    const [first, second] = a.keys.map(formatVerifierKey)
    const by = `log ${formatVerifierKey(log[0] as LogKey)}\nwitness x ${first ?? ''}\nwitness y ${second ?? ''}\n`
    expect(() => withoutWitness(`${by}group q any x y\nquorum q\n`, 'a.test/witness')).toThrow('by hand')
    const [other] = b.keys.map(formatVerifierKey)
    const mixed = `${by}witness z ${other ?? ''}\ngroup q all x y z\ngroup witnesses 1 q\nquorum witnesses\n`
    expect(() => withoutWitness(mixed, 'b.test/witness')).toThrow('in the group q, with others')
  })
})
