// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'node:net'
import { listen, type Listening } from '#functions/host/node.ts'
import { testDeployment } from '#tests/deployment.ts'

const APPEND =
  'POST /v1/blocks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/vnd.ampere.append\r\n'
const LIVE = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n'
const MALFORMED = /"code":"REQUEST_MALFORMED"/

describe('the server on this computer, byte by byte', () => {
  let server: Listening
  beforeAll(async () => {
    const world = await testDeployment(['hospital-a'])
    server = await listen((request) => world.fetch(request), 0, false)
  })
  afterAll(() => server.close())

  /** Sends bytes on one connection, and ends it after the last of them. */
  const send = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = ''
      const socket = connect(server.port, '127.0.0.1', () => socket.end(text, 'latin1'))
      socket.setEncoding('latin1')
      socket.on('data', (part: string) => (answer += part))
      socket.on('error', () => {})
      socket.on('close', () => resolve(answer))
    })

  it.each([
    ['two lengths that differ', `${APPEND}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, 400],
    ['two lengths that agree', `${APPEND}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, 400],
    ['a length that is no number', `${APPEND}Content-Length: 3x\r\n\r\nabc`, 400],
    [
      'a length and chunks, which proxies read differently',
      `${APPEND}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['chunks that are none', `${APPEND}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`, 400],
    ['a header folded into two lines', `${LIVE}X-A: a\r\n b\r\n\r\n`, 400],
    ['no host', 'GET /health/live HTTP/1.1\r\n\r\n', 400],
    ['a host that is none', 'GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['a control character in its path', 'GET /v1/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['more than 16 KiB of headers', `${LIVE}X-A: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
    ['an expectation that nobody meets', `${LIVE}Expect: 200-maybe\r\n\r\n`, 417],
  ])('refuses %s', async (_, text, status) => {
    expect(await send(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(await send(`${LIVE}\r\n`)).toContain('{"status":"live"}')
  })

  it.each([
    ['no length', `${APPEND}\r\n`],
    ['a length of zero', `${APPEND}Content-Length: 0\r\n\r\n`],
    ['chunks', `${APPEND}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    [
      'chunks after 100 Continue',
      `${APPEND}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    ],
  ])('reads an append with %s, and answers with a problem', async (_, text) => {
    expect(await send(text)).toMatch(MALFORMED)
  })

  it('answers a body that is announced as too large before it comes', async () => {
    const answer = await send(`${APPEND}Content-Length: 99999999999\r\n\r\nabc`)
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*maxAppendBytes/)
  })

  it('does not take the body of a GET for the next request', async () => {
    const smuggled = 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const answer = await send(`${LIVE}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}${LIVE}\r\n`)
    expect(answer.match(/"status":"\w+"/g)).toEqual(['"status":"live"', '"status":"live"'])
  })

  it('ignores an upgrade, and a path with broken escapes is a problem like any other', async () => {
    expect(await send(`${LIVE}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await send('GET /v1/chains/%E0%A4%A/head HTTP/1.1\r\nHost: localhost\r\n\r\n')).toMatch(MALFORMED)
  })

  it.each(['evil.test', '127.0.0.1.evil.test', '192.168.1.1:80', 'localhost.evil.test'])(
    'refuses a request for host %s: a page whose name was pointed here must read nothing',
    async (host) => {
      expect(await send(`GET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 421 [\s\S]*"MISDIRECTED"/,
      )
      expect(await send(`GET http://${host}/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 4/,
      )
    },
  )

  it.each([
    ['cross-site', 403],
    ['same-site', 403],
    ['same-origin', 200],
    ['none', 200],
  ])(
    'answers a browser whose page is %s with %d: others would learn by status what is here',
    async (site, status) => {
      expect(await send(`${LIVE}Sec-Fetch-Site: ${site}\r\n\r\n`)).toMatch(
        new RegExp(`^HTTP/1\\.1 ${status} `),
      )
    },
  )

  it.each(['127.0.0.1', 'localhost:8080', '[::1]:7310'])('answers as host %s', async (host) => {
    expect(await send(`GET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
  })
})
