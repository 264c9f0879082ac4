// SPDX-License-Identifier: Apache-2.0
import { p256 } from '@noble/curves/nist.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { fakeServer, type FakeServer } from './fake-server.ts'

/** What a request to KMS says, as far as the fake looks. */
interface Input {
  readonly KeyId: string
  readonly Message?: string
  readonly MessageType?: 'RAW' | 'DIGEST' | 'EXTERNAL_MU'
  readonly SigningAlgorithm?: string
  readonly Plaintext?: string
  readonly CiphertextBlob?: string
  readonly EncryptionContext?: Readonly<Record<string, string>>
}

type Spec = 'ECC_NIST_P256' | 'ECC_NIST_EDWARDS25519' | 'ML_DSA_44' | 'SYMMETRIC_DEFAULT'

class Refused extends Error {}

/** What KMS does for keys of each kind, after its documentation (API reference, Sign and "ML-DSA key specs"). */
const ALGORITHMS: Readonly<Record<Spec, string>> = {
  ECC_NIST_P256: 'ECDSA_SHA_256',
  ECC_NIST_EDWARDS25519: 'ED25519_SHA_512',
  ML_DSA_44: 'ML_DSA_SHAKE_256',
  SYMMETRIC_DEFAULT: '',
}
const NODE_TYPES = { ECC_NIST_EDWARDS25519: 'ed25519', ML_DSA_44: 'ml-dsa-44' } as const

/** A KMS in this process, for what no emulator has: ML-DSA, and ciphertexts that are authenticated. It looks at no credentials. */
export interface FakeKms extends FakeServer {
  readonly makeKey: (spec: Spec) => string
  readonly disable: (keyId: string) => void
}

export async function fakeKms(): Promise<FakeKms> {
  const keys = new Map<string, FakeKey>()
  const disabled = new Set<string>()
  const act = (operation: string, input: Input): object => {
    const key = keys.get(input.KeyId.split('/').at(-1) ?? '')
    if (!key) throw new Refused('NotFoundException')
    if (disabled.has(input.KeyId)) throw new Refused('DisabledException')
    if (operation === 'GetPublicKey') return { PublicKey: publicKey(key).toString('base64') }
    if (operation === 'Sign') return { Signature: signed(key, input).toString('base64') }
    if (operation === 'Encrypt') return { CiphertextBlob: encrypt(key, input).toString('base64') }
    if (operation === 'Decrypt') return { Plaintext: decrypt(key, input).toString('base64') }
    throw new Refused('UnsupportedOperationException')
  }
  const server = await fakeServer(({ headers, body }, response) => {
    const operation = String(headers['x-amz-target']).replace('TrentService.', '')
    try {
      answer(response, 200, act(operation, JSON.parse(body.toString()) as Input))
    } catch (error) {
      answer(response, 400, { __type: error instanceof Refused ? error.message : 'ValidationException' })
    }
  })
  return {
    ...server,
    makeKey: (spec) => {
      const id = randomUUID()
      keys.set(id, makeKey(id, spec))
      return id
    },
    disable: (keyId) => void disabled.add(keyId),
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
}

interface FakeKey {
  readonly id: string
  readonly spec: Spec
  /** 32 bytes of AES, or the seed of ML-DSA. */
  readonly secret: Buffer
  readonly privateKey: KeyObject | null
}

function makeKey(id: string, spec: Spec): FakeKey {
  const secret = randomBytes(32)
  if (spec === 'SYMMETRIC_DEFAULT') return { id, spec, secret, privateKey: null }
  if (spec === 'ECC_NIST_P256') {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return { id, spec, secret, privateKey }
  }
  // Of ML-DSA `priv` is the seed (RFC 9964).
  const { privateKey } = generateKeyPairSync(NODE_TYPES[spec] as 'ed25519')
  const { priv = '' } = privateKey.export({ format: 'jwk' }) as { priv?: string }
  return { id, spec, secret: Buffer.from(priv, 'base64url'), privateKey }
}

function publicKey({ privateKey }: FakeKey): Buffer {
  if (!privateKey) throw new Refused('UnsupportedOperationException')
  return createPublicKey(createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))).export({
    format: 'der',
    type: 'spki',
  })
}

function signed({ spec, privateKey, secret }: FakeKey, input: Input): Buffer {
  const message = Buffer.from(input.Message ?? '', 'base64')
  const { MessageType = 'RAW', SigningAlgorithm } = input
  if (!privateKey || SigningAlgorithm !== ALGORITHMS[spec]) throw new Refused('InvalidKeyUsageException')
  if (message.length === 0 || message.length > 4096) throw new Refused('ValidationException')
  if (MessageType === 'RAW') return sign(spec === 'ECC_NIST_P256' ? 'sha256' : null, message, privateKey)
  if (MessageType === 'DIGEST' && spec === 'ECC_NIST_P256' && message.length === 32)
    return signDigest(privateKey, message)
  if (MessageType === 'EXTERNAL_MU' && spec === 'ML_DSA_44' && message.length === 64) {
    const { secretKey } = ml_dsa44.keygen(secret)
    return Buffer.from(ml_dsa44.internal.sign(message, secretKey, { externalMu: true }))
  }
  throw new Refused('ValidationException')
}

/** node:crypto signs no digests of ECDSA as they are; noble does. */
function signDigest(privateKey: KeyObject, digest: Buffer): Buffer {
  const { d = '' } = privateKey.export({ format: 'jwk' })
  const signature = p256.sign(digest, Buffer.from(d, 'base64url'), {
    prehash: false,
    format: 'der',
    lowS: false,
  })
  return Buffer.from(signature)
}

/** Id of the key, nonce, tag, ciphertext: whatever of it changes, it does not open. */
function encrypt({ id, spec, secret }: FakeKey, { Plaintext = '', EncryptionContext }: Input): Buffer {
  if (spec !== 'SYMMETRIC_DEFAULT') throw new Refused('InvalidKeyUsageException')
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(contextBytes(EncryptionContext))
  const sealed = Buffer.concat([cipher.update(Buffer.from(Plaintext, 'base64')), cipher.final()])
  return Buffer.concat([Buffer.from(id), nonce, cipher.getAuthTag(), sealed])
}

function decrypt({ id, secret }: FakeKey, { CiphertextBlob = '', EncryptionContext }: Input): Buffer {
  const blob = Buffer.from(CiphertextBlob, 'base64')
  if (blob.length <= 64) throw new Refused('InvalidCiphertextException')
  if (blob.subarray(0, 36).toString() !== id) throw new Refused('IncorrectKeyException')
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret, blob.subarray(36, 48))
    decipher.setAAD(contextBytes(EncryptionContext)).setAuthTag(blob.subarray(48, 64))
    return Buffer.concat([decipher.update(blob.subarray(64)), decipher.final()])
  } catch {
    throw new Refused('InvalidCiphertextException')
  }
}

function contextBytes(context: Input['EncryptionContext'] = {}): Buffer {
  const sorted = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest()
}
