// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8 } from '#core/bytes/encoding.ts'
import { formatVerifierKey, type LogKey } from '#core/log/note/key.ts'
import { MAX_POLICY_ENTRIES, type Policy } from '#core/log/policy/definitions.ts'
import { formatPolicy, MAX_POLICY_BYTES, parsePolicy } from '#core/log/policy/policy.ts'
import { quorumOf } from '#core/log/policy/quorum.ts'
import { tlogVectors } from '#tests/vectors/tlog.ts'
import { LOG_MALFORMED, LOG_VKEY, signerOf, WITNESS_VKEY } from './signers.ts'

const names = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']
const keys: Record<string, LogKey> = {}
for (const [i, name] of names.entries())
  keys[name] = (await signerOf(`witness.example/${name}`, 'cosignature-Ed25519', 10 + i)).key
const keyOf = (name: string) => keys[name] as LogKey
const vkeyOf = (name: string) => formatVerifierKey(keyOf(name))
const pqWitness = (await signerOf('witness.example/pq', 'cosignature-ML-DSA-44', 20)).key
const pqLog = (await signerOf('ampere.example/log1', 'cosignature-ML-DSA-44', 21)).key
const line = (name: string) => `witness ${name} ${vkeyOf(name)}\n`

/** The example of c2sp.org/tlog-policy, with keys. */
const EXAMPLE = `log ${LOG_VKEY}

${names.slice(0, 3).map(line).join('')}group X-witnesses 2 X1 X2 X3

${names.slice(3).map(line).join('')}group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`
const example = parsePolicy(EXAMPLE)
const asked = (policy: Policy, ...cosigned: string[]) => quorumOf(policy, cosigned.map(keyOf))

describe('policies', () => {
  it('say what the example of the specification says', () => {
    expect(example.logs.map(({ key }) => formatVerifierKey(key))).toEqual([LOG_VKEY])
    expect(example.witnesses.map(({ name }) => name)).toEqual(names)
    expect(example.groups).toEqual([
      { name: 'X-witnesses', rule: 2, members: ['X1', 'X2', 'X3'] },
      { name: 'Y-witnesses', rule: 'any', members: ['Y1', 'Y2', 'Y3'] },
      { name: 'X-and-Y', rule: 'all', members: ['X-witnesses', 'Y-witnesses'] },
    ])
    expect(example.quorum).toBe('X-and-Y')
  })

  it('have one canonical spelling, whatever the order, white space and comments', () => {
    const canonical = formatPolicy(example)
    expect(canonical.split('\n').map((text) => text.split(' ')[0])).toEqual([
      'log',
      ...names.map(() => 'witness'),
      'group',
      'group',
      'group',
      'quorum',
      '',
    ])
    expect(formatPolicy(parsePolicy(canonical))).toBe(canonical)
    const untidy = EXAMPLE.replaceAll(
      '\n',
      ' \t\n# a note, also of "quorum none"\n \t# another: é\n\n',
    ).replaceAll('witness X', '\t witness \t X')
    expect(parsePolicy(utf8(untidy))).toEqual(example)
    const [first = '', ...rest] = EXAMPLE.split('\n')
    expect(formatPolicy(parsePolicy([...rest.slice(0, -1), first, ''].join('\n')))).toBe(canonical)
  })

  it('name logs and witnesses with keys of ML-DSA-44 beside those of Ed25519, and with URLs', () => {
    const text = `log ${LOG_VKEY} https://log.example/
log ${formatVerifierKey(pqLog)} https://log.example/
witness w1 ${WITNESS_VKEY} https://witness.example/w1
witness w1-pq ${formatVerifierKey(pqWitness)}
witness torchwood ${tlogVectors.subtree.vkey}
group w all w1 w1-pq
quorum w
`
    expect(formatPolicy(parsePolicy(text))).toBe(text)
    expect(parsePolicy(text).logs.map(({ url }) => url)).toEqual([
      'https://log.example/',
      'https://log.example/',
    ])
  })

  it('may ask for nobody, and know nobody', () => {
    expect(parsePolicy('quorum none\n')).toEqual({ logs: [], witnesses: [], groups: [], quorum: null })
    expect(formatPolicy(parsePolicy('quorum none\n'))).toBe('quorum none\n')
  })

  it('may call a witness like a word of the format, or in letters of any script', () => {
    for (const name of ['all', 'any', '2', 'quorum', 'log', '#x', 'Kлиника', 'a+b'])
      expect(parsePolicy(`witness ${name} ${WITNESS_VKEY}\nquorum ${name}\n`).quorum).toBe(name)
  })

  it('take groups with one member under each rule and keep the rule as it was written', () => {
    for (const rule of ['all', 'any', '1']) {
      const text = `witness a ${WITNESS_VKEY}\ngroup g ${rule} a\nquorum g\n`
      expect(formatPolicy(parsePolicy(text))).toBe(text)
    }
  })

  const two = line('X1') + line('X2')
  it.each([
    ['no quorum', line('X1'), 'no quorum'],
    ['nothing', '', 'newline'],
    ['two quorums', 'quorum none\nquorum none\n', 'line 2: a policy has more than one quorum'],
    ['a quorum of nobody', 'quorum X1\n', 'line 1: the quorum'],
    ['a quorum that is defined behind it', `quorum X1\n${line('X1')}`, 'line 1: the quorum'],
    ['a quorum of two names', `${two}quorum X1 X2\n`, 'line 3: not a log'],
    [
      'a log twice',
      `log ${LOG_VKEY}\nlog ${LOG_VKEY}\nquorum none\n`,
      'line 2: a policy has a public key twice',
    ],
    [
      'a witness twice under two names',
      `${line('X1')}witness Z ${vkeyOf('X1')}\nquorum none\n`,
      'public key twice',
    ],
    ['two witnesses of one name', `${line('X1')}witness X1 ${vkeyOf('X2')}\nquorum none\n`, 'defined twice'],
    ['a group called like a witness', `${two}group X1 any X2\nquorum none\n`, 'defined twice'],
    ['two groups of one name', `${two}group g any X1\ngroup g any X2\nquorum g\n`, 'defined twice'],
    ['a member twice in a group', `${two}group g any X1 X1\nquorum g\n`, 'more than once'],
    ['a member of two groups', `${two}group g any X1\ngroup h any X1 X2\nquorum g\n`, 'more than once'],
    ['a member of nobody', `${two}group g any X3\nquorum g\n`, 'not defined before it'],
    [
      'a member that is defined behind it',
      `${line('X1')}group g any X2\n${line('X2')}quorum g\n`,
      'not defined before it',
    ],
    ['a group in itself', `${two}group g any X1 g\nquorum g\n`, 'not defined before it'],
    ['none as a member', `${two}group g any none\nquorum g\n`, 'not defined before it'],
    ['none as a witness', `witness none ${WITNESS_VKEY}\nquorum none\n`, 'predefined'],
    ['none as a group', `${two}group none any X1\nquorum none\n`, 'predefined'],
    ['a group without members', `${two}group g any\nquorum g\n`, 'line 3: not a log'],
    ['0 of a group', `${two}group g 0 X1\nquorum g\n`, 'between 1 and'],
    ['more of a group than it has', `${two}group g 3 X1 X2\nquorum g\n`, 'between 1 and'],
    ['a leading zero', `${two}group g 02 X1 X2\nquorum g\n`, 'leading zeros'],
    ['a sign', `${two}group g +1 X1 X2\nquorum g\n`, 'leading zeros'],
    ['another word', `${two}group g most X1 X2\nquorum g\n`, 'leading zeros'],
    ['a keyword in capitals', `${two}Quorum X1\n`, 'line 3: not a log'],
    ['a log without a key', 'log\nquorum none\n', 'line 1: not a log'],
    ['a witness without a key', 'witness X1\nquorum none\n', 'line 1: not a log'],
    ['a comment behind a log', `log ${LOG_VKEY} # ours\nquorum none\n`, 'line 1: not a log'],
    ['a comment where a URL may be', `log ${LOG_VKEY} #ours\nquorum none\n`, 'not a URL'],
    ['a relative URL', `log ${LOG_VKEY} log.example/x\nquorum none\n`, 'not a URL'],
    ['a carriage return', `log ${LOG_VKEY}\r\nquorum none\r\n`, 'control character'],
    ['a NUL in a comment', '# a\0\nquorum none\n', 'control character'],
    ['a DEL', '# a\x7f\nquorum none\n', 'control character'],
    ['a lone surrogate', '# \ud800\nquorum none\n', 'not UTF-8'],
    ['no final newline', 'quorum none', 'newline'],
    ['a witness’s key for a log', `log ${vkeyOf('X1')}\nquorum none\n`, 'only cosigns'],
    ['a log’s key for a witness', `witness X1 ${LOG_VKEY}\nquorum none\n`, 'does not cosign'],
    [
      'a key with another id',
      `log ${LOG_VKEY.replace('07430ee7', '07430ee8')}\nquorum none\n`,
      'another key ID',
    ],
    ['too many bytes', `#${'x'.repeat(MAX_POLICY_BYTES)}\nquorum none\n`, 'larger than'],
  ])('are refused with %s', (_, text, message) => {
    expect(() => parsePolicy(text)).toThrow(
      expect.objectContaining({ ...LOG_MALFORMED, message: expect.stringContaining(message) }),
    )
  })

  it('are refused when a log’s key cosigns as well, by key or by name and id', async () => {
    const own = await signerOf('witness.example/own', 'cosignature-Ed25519', 1)
    const text = `log ${LOG_VKEY}\nwitness own ${formatVerifierKey(own.key)}\nquorum own\n`
    expect(() => parsePolicy(text)).toThrow(expect.objectContaining(LOG_MALFORMED))
    const collision = { ...keyOf('X1'), publicKey: keyOf('X2').publicKey }
    const witnesses = [
      { name: 'a', key: keyOf('X1'), url: null },
      { name: 'b', key: collision, url: null },
    ]
    expect(() => formatPolicy({ logs: [], witnesses, groups: [], quorum: null })).toThrow(
      expect.objectContaining({ ...LOG_MALFORMED, message: expect.stringContaining('share a name') }),
    )
  })

  it('are refused with bytes that are no key, or a type that is not ours, and say in which line', () => {
    const small = 'a+ad6b8f62+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    expect(() => parsePolicy(`\nlog ${small}\nquorum none\n`)).toThrow(
      expect.objectContaining({ code: 'KEY_MALFORMED', message: expect.stringContaining('line 2') }),
    )
    expect(() => parsePolicy(`log a+00000000+AgEA\nquorum none\n`)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('line 1') }),
    )
  })

  it('take as many witnesses and groups as they may have, one in another, and no more', async () => {
    const witnesses = await Promise.all(
      Array.from({ length: MAX_POLICY_ENTRIES + 1 }, async (_, i) => ({
        name: `w${i}`,
        key: (await signerOf('w', 'cosignature-Ed25519', i)).key,
        url: null,
      })),
    )
    const groups = witnesses.map(({ name }, i) => ({
      name: `g${i}`,
      rule: 'all' as const,
      members: i === 0 ? [name] : [`g${i - 1}`, name],
    }))
    const upTo = (count: number, groupCount = count) => ({
      logs: [],
      witnesses: witnesses.slice(0, count),
      groups: groups.slice(0, groupCount),
      quorum: `g${groupCount - 1}`,
    })
    const full = parsePolicy(formatPolicy(upTo(MAX_POLICY_ENTRIES)))
    expect(
      quorumOf(
        full,
        full.witnesses.map(({ key }) => key),
      ).satisfied,
    ).toBe(true)
    expect(
      quorumOf(
        full,
        full.witnesses.slice(1).map(({ key }) => key),
      ).missing,
    ).toEqual(['w0'])
    for (const more of [upTo(MAX_POLICY_ENTRIES + 1, MAX_POLICY_ENTRIES), upTo(MAX_POLICY_ENTRIES + 1)])
      expect(() => formatPolicy(more)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([
    ['a name with a space', { witnesses: [{ name: 'a b', key: keyOf('X1'), url: null }] }],
    ['an empty name', { witnesses: [{ name: '', key: keyOf('X1'), url: null }] }],
    ['a name of two lines', { witnesses: [{ name: 'a\nquorum', key: keyOf('X1'), url: null }] }],
    ['a URL with a space', { logs: [{ key: pqLog, url: 'https://a.example/ b' }] }],
    ['a group of half a member', { groups: [{ name: 'g', rule: 0.5, members: ['X1'] }] }],
    ['a quorum of nobody', { quorum: 'Z' }],
  ])('are not written with %s', (_, change) => {
    const policy = {
      logs: [],
      witnesses: [{ name: 'X1', key: keyOf('X1'), url: null }],
      groups: [],
      quorum: null,
    }
    expect(formatPolicy(policy)).toContain('quorum none')
    expect(() => formatPolicy({ ...policy, ...change })).toThrow(expect.objectContaining(LOG_MALFORMED))
  })
})

describe('the quorum', () => {
  it.each([
    [[], false, ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']],
    [['X1'], false, ['X2', 'X3', 'Y1', 'Y2', 'Y3']],
    [['X1', 'X3'], false, ['Y1', 'Y2', 'Y3']],
    [['Y2'], false, ['X1', 'X2', 'X3']],
    [['X1', 'Y2'], false, ['X2', 'X3']],
    [['X1', 'X1', 'Y2'], false, ['X2', 'X3']],
    [['X1', 'X2', 'Y2'], true, []],
    [names, true, []],
  ])(
    'of the example with the cosignatures of %j is satisfied: %s, missing %j',
    (cosigned, satisfied, missing) => {
      expect(asked(example, ...cosigned)).toEqual({ satisfied, missing })
    },
  )

  it('of one witness is that witness, and of none is anybody', () => {
    const one = parsePolicy(`${line('X1')}${line('X2')}quorum X2\n`)
    expect(asked(one, 'X1')).toEqual({ satisfied: false, missing: ['X2'] })
    expect(asked(one, 'X2')).toEqual({ satisfied: true, missing: [] })
    expect(asked(parsePolicy('quorum none\n'))).toEqual({ satisfied: true, missing: [] })
  })

  it('counts no key of somebody else, nor one of another name or type', () => {
    const one = parsePolicy(`${line('X1')}quorum X1\n`)
    const key = keyOf('X1')
    const others: LogKey[] = [keyOf('X2'), { ...key, name: 'other' }, { ...key, type: 'Ed25519' }]
    expect(quorumOf(one, others).satisfied).toBe(false)
    expect(quorumOf(one, [...others, { ...key }]).satisfied).toBe(true)
  })

  it('is never lost by one more cosignature, and what is missing always completes it', () => {
    fc.assert(
      fc.property(fc.subarray(names), fc.subarray(names), (some, more) => {
        const before = asked(example, ...some)
        if (before.satisfied) expect(asked(example, ...some, ...more).satisfied).toBe(true)
        expect(asked(example, ...some, ...before.missing).satisfied).toBe(true)
        expect(before.missing.filter((name) => some.includes(name))).toEqual([])
      }),
      { seed: 4 },
    )
  })
})
