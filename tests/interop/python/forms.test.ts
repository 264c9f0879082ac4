// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, it } from '@jest/globals'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { parseJws } from '#core/block/jws.ts'
import { found, type Founded } from '#tests/core/registry/members.ts'
import { seededRandom } from '#tests/deployment.ts'
import { SUITES } from '../browser/signature-suites.ts'
import { everyAct, registryVerdict } from './registry-attempts.ts'
import { describeWithPython, ofRegistry, signaturesInPython, verdictsInPython } from './software.ts'

const TYP = 'ampere-registry+jws'
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

/** What a text of a payload may hold instead of what it holds, by the member that it is about. */
const SPELLINGS: Readonly<Record<string, readonly [from: string, to: readonly string[]]>> = {
  text: [
    '"name":"Test new"',
    [
      'x'.repeat(200),
      'x'.repeat(201),
      '\u{1d4b3}'.repeat(100),
      '\u{1d4b3}'.repeat(101),
      '',

      '\\u0041',
      '\\/',
      '\\u001f',
      '\\u001F',
      '\\n',
      '\\u000a',
      '\\ud800',
      '\\ud83d\\ude00',
      '\u2028',
      '\u007f',
      '\ufeff',
    ].map((text) => `"name":"${text}"`),
  ],
  name: [
    '"id":"new"',
    [
      'n',
      '7',
      'n'.repeat(63),
      'n'.repeat(64),
      '',
      '-n',
      'n-',
      'n--n',
      'N',
      'n_n',
      'n.n',
      '\u00e9',
      '\u0663',
    ].map((id) => `"id":"${id}"`),
  ],
  number: [
    '"height":1,',
    [
      '1.0',
      '1e0',
      '10e-1',
      '-1',
      '-0',
      '0',
      '01',
      '9007199254740991',
      '9007199254740992',
      '1e400',
      'NaN',
      '"1"',
      'true',
    ].map((text) => `"height":${text},`),
  ],
  time: [
    '"time":"2026-11-01T08:00:00.000Z"',
    [
      '2026-11-01T08:00:60.000Z',
      '2026-11-01T24:00:00.000Z',
      '2026-11-01T23:59:59.999Z',
      '2026-11-31T08:00:00.000Z',

      '2026-02-29T08:00:00.000Z',
      '2028-02-29T08:00:00.000Z',
      '2100-02-29T08:00:00.000Z',
      '2000-02-29T08:00:00.000Z',

      '0000-01-01T00:00:00.000Z',
      '0000-02-29T00:00:00.000Z',
      '9999-12-31T23:59:59.999Z',
      '2026-00-01T08:00:00.000Z',

      '2026-13-01T08:00:00.000Z',
      '2026-11-00T08:00:00.000Z',
      '2026-11-01T08:60:00.000Z',
      '2026-11-01T08:00:00Z',

      '2026-11-01T08:00:00.0000Z',
      '2026-11-01T08:00:00.000z',
      '2026-11-01T08:00:00.000+00:00',
      '2026-11-01 08:00:00.000Z',
      '+002026-11-01T08:00:00.000Z',
      '2026-11-01T08:00:00.000Z ',
      '\u0662026-11-01T08:00:00.000Z',
    ].map((time) => `"time":"${time}"`),
  ],
  bytes: [
    '"op":"AAAAAAAAAAAAAAAAAAAAAA"',
    [
      'AAAAAAAAAAAAAAAAAAAAAQ',
      'AAAAAAAAAAAAAAAAAAAAAB',
      'AAAAAAAAAAAAAAAAAAAAAAA',
      'AAAAAAAAAAAAAAAAAAAAA',
      'AAAAAAAAAAAAAAAAAAAAAA==',
      'AAAAAAAAAAAAAAAAAAAA+A',
      'AAAAAAAAAAAAAAAAAAAA/A',
      'AAAAAAAAAAAAAAAAAAAA A',
      '\u00c1AAAAAAAAAAAAAAAAAAAAA',
    ].map((op) => `"op":"${op}"`),
  ],
  depth: [
    '"op":"AAAAAAAAAAAAAAAAAAAAAA"',
    [1, 14, 15, 16, 17, 18, 5000].map((depth) => `"op":${nested(depth)}`),
  ],
  object: [
    '{"body":',
    [
      '{"body":1,"body":',
      '{ "body":',
      '{"__proto__":1,"body":',
      '{"10":1,"9":1,"body":',
      '{"9":1,"10":1,"body":',
      ' {"body":',
      '\ufeff{"body":',
    ],
  ],
  end: [
    '"v":1}',
    [
      '"v":1} ',
      '"v":1}\n',
      '"v":1,}',
      '"v":1}{}',
      '"v":1,"\ufb01":1,"\u{1d4b3}":1}',
      '"v":1,"\u{1d4b3}":1,"\ufb01":1}',
      '"v":1',
      '"v":2}',
    ],
  ],
}

describeWithPython('signatures in Python', () => {
  it.each(Object.entries(SUITES))('%s: accepts exactly what is valid', (_, make) => {
    const { cases, expected } = make()
    expect(expected).toContain(true)
    expect(signaturesInPython(cases)).toEqual(expected)
  })
})

describeWithPython('statements in Python', () => {
  let world: Founded
  let text: string
  beforeAll(async () => {
    world = await found(['a', 'b', 'c'], seededRandom(85))
    text = canonicalize(parseJws(await everyAct(world), TYP).payload)
  })

  const root = () => world.member('a').root
  const header = (change = {}) => canonicalize({ alg: root().alg, kid: root().kid, typ: TYP, ...change })
  /** A statement with exactly these texts, signed as it is. */
  async function signed(head: string, payload: string): Promise<string> {
    const input = `${toBase64url(utf8(head))}.${toBase64url(utf8(payload))}`
    return `${input}.${toBase64url(await root().sign(utf8(input)))}`
  }
  async function compare(attempts: readonly string[]) {
    const here = await Promise.all(attempts.map((attempt) => registryVerdict(world.link, attempt)))
    expect(verdictsInPython(attempts.map((attempt) => ofRegistry([world.genesis, attempt])))).toEqual(here)
    return here
  }

  it.each(Object.keys(SPELLINGS))('are read alike in every spelling of a value: %s', async (kind) => {
    const [from, spellings] = SPELLINGS[kind] ?? ['', []]
    expect(text).toContain(from)
    const here = await compare(
      await Promise.all(
        spellings.map((to) =>
          signed(
            header(),
            text.replace(from, () => to),
          ),
        ),
      ),
    )
    expect(here.filter((verdict) => verdict?.endsWith('MALFORMED')).length).toBeGreaterThan(1)
  })

  it('are read alike in every spelling of header and segments', async () => {
    const good = await signed(header(), text)
    const heads = [
      header({ typ: 'ampere-block+jws' }),
      header({ alg: 'ES256' }),
      header({ alg: 'none' }),
      header({ crit: [] }),
      header({ kid: `${root().kid}A` }),
      `${header()} `,
      header().replace('{"alg":"Ed25519",', '{').replace('}', ',"alg":"Ed25519"}'),
      '[]',
      '""',
    ]
    const [head = '', payload = '', signature = ''] = good.split('.')
    const segments = [
      `${good}=`,
      `${good}.`,
      `.${good}`,
      `${head}.${payload}.`,
      `${head}..${signature}`,
      `${head}.${payload}`,

      `${good}A`,
      good.slice(0, -4),
      ` ${good}`,
      `${good}\n`,
      `${head}=.${payload}.${signature}`,
      '',
      '..',
      '\u00e9',
    ]
    const here = await compare([
      good,
      ...(await Promise.all(heads.map((other) => signed(other, text)))),
      ...segments,
    ])
    expect(here[0]).toBeNull()
    expect(new Set(here.slice(1))).toEqual(new Set(['JWS_MALFORMED', 'SIGNATURE_INVALID']))
  })
})
