// SPDX-License-Identifier: Apache-2.0
import {
  DecryptCommand,
  EncryptCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms'
import { asking, clientConfig, NEXT_TO_CONNECTION, watching, type AwsConnection } from './connection.ts'

/** What keys use of KMS; bytes as KMS gives them. They reject with AmpereError. */
export interface Kms {
  /** SubjectPublicKeyInfo, RFC 5280. */
  publicKey(keyId: string): Promise<Uint8Array>
  sign(input: SignCommandInput): Promise<Uint8Array>
  /** Under a symmetric key, bound to `context`. */
  encrypt(keyId: string, context: Readonly<Record<string, string>>, bytes: Uint8Array): Promise<Uint8Array>
  decrypt(keyId: string, context: Readonly<Record<string, string>>, bytes: Uint8Array): Promise<Uint8Array>
  close(): void
}

export function openKms(connection: AwsConnection): Kms {
  const { config, closeIdle } = clientConfig(connection, 'kms')
  const client = new KMSClient(config)
  client.middlewareStack.add(watching('kms', connection, closeIdle), NEXT_TO_CONNECTION)
  const ask = asking('kms', connection)
  return {
    publicKey: (KeyId) =>
      ask('GetPublicKey', { KeyId }, async () =>
        whole((await client.send(new GetPublicKeyCommand({ KeyId }))).PublicKey),
      ),
    sign: (input) =>
      ask('Sign', input, async () => whole((await client.send(new SignCommand(input))).Signature)),
    encrypt: (KeyId, context, bytes) =>
      ask('Encrypt', { KeyId }, async () => {
        const input = { KeyId, EncryptionContext: { ...context }, Plaintext: bytes }
        return whole((await client.send(new EncryptCommand(input))).CiphertextBlob)
      }),
    // The key is named, so that what another key of this account encrypted is not decrypted.
    decrypt: (KeyId, context, bytes) =>
      ask('Decrypt', { KeyId }, async () => {
        const input = { KeyId, EncryptionContext: { ...context }, CiphertextBlob: bytes }
        return whole((await client.send(new DecryptCommand(input))).Plaintext)
      }),
    close: () => client.destroy(),
  }
}

function whole(bytes: Uint8Array | undefined): Uint8Array {
  return new Uint8Array(bytes ?? [])
}
