// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { bearer, isLoopback, modelEndpoint, modelName, under } from '#adapters/model/endpoint.ts'

const GOOD = [
  'https://api.example.org/v1',
  'https://api.example.org:8443',
  'http://127.0.0.1:11434/v1/',
  'http://127.9.9.9',
  'http://localhost:8080/v1',
  'http://[::1]:8080',
]
const BAD = [
  '',
  'api.example.org',
  'http://api.example.org/v1',
  'http://localhost.example.org',
  'http://127.0.0.1.example.org',
  'http://10.0.0.1',
  'http://0.0.0.0',
  'http://[::ffff:127.0.0.1]',
  'ftp://127.0.0.1',
  'file:///etc/passwd',
  'https://user:SECRET@api.example.org',
  'https://SECRET@api.example.org',
  'https://api.example.org?key=SECRET',
  'https://api.example.org#SECRET',
]

describe('the address of a language model', () => {
  it.each(GOOD)('may be %s', (text) => {
    expect(modelEndpoint(text).href.replace(/\/$/, '')).toBe(text.replace(/\/$/, ''))
  })

  it.each(BAD)('may not be %j, and is not repeated', (text) => {
    expect(() => modelEndpoint(text)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.not.stringContaining('SECRET') }),
    )
  })

  it('is this machine in every notation that a URL has for it, and only then', () => {
    const local = [
      'http://127.1',
      'http://2130706433',
      'http://0x7f.1',
      'http://LOCALHOST',
      'http://[0:0::1]',
    ]
    expect(local.map((text) => isLoopback(new URL(text)))).toEqual(local.map(() => true))
    expect(isLoopback(new URL('https://api.example.org'))).toBe(false)
  })

  it('keeps its path in front of what is put under it, whose parts stay parts', () => {
    const url = under(modelEndpoint('https://gateway.example.org/models/'), 'chat', 'a/../b?c#d')
    expect(url.href).toBe('https://gateway.example.org/models/chat/a%2F..%2Fb%3Fc%23d')
  })

  it.each(['', 'a b', 'a\nb', '..', '.', 'ä', 'a'.repeat(257)])('has no model named %j', (name) => {
    expect(() => modelName(name)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  })

  it.each(['', 'SECRET\r\nx: y', 'SECRET ', 'SECRETä'])(
    'is sent no key %j, which no error repeats',
    (key) => {
      expect(() => bearer(key)).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION', message: expect.not.stringContaining('SECRET') }),
      )
    },
  )
})
