// SPDX-License-Identifier: Apache-2.0
import { bedrockLanguageModel } from '#adapters/aws/language-model.ts'
import { azureLanguageModel } from '#adapters/azure/language-model.ts'
import { localLanguageModel } from '#adapters/local/language-model.ts'
import { languageModelContract } from './language-model-contract.ts'
import { fakeAzureOpenAi, fakeBedrock, fakeOpenAi } from './model/fake-dialects.ts'

// No emulator of any of the three is in the registries: each adapter asks a fake of its provider's server.
const SECRET = 'MARK-SECRET'
const AWS = { region: 'eu-central-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET }

languageModelContract({
  name: 'local, a fake of an OpenAI-compatible server',
  dialect: fakeOpenAi(SECRET),
  open: (origin, fetch) =>
    localLanguageModel(fetch, { baseUrl: `${origin}/v1`, model: 'fake-1', key: SECRET }),
})

languageModelContract({
  name: 'azure, a fake of Azure OpenAI',
  dialect: fakeAzureOpenAi(SECRET),
  open: (origin, fetch) =>
    azureLanguageModel(fetch, { endpoint: origin, deployment: 'checks', token: async () => SECRET }),
})

languageModelContract({
  name: 'aws, a fake of Bedrock',
  dialect: fakeBedrock(AWS),
  open: (origin, fetch) =>
    bedrockLanguageModel(fetch, {
      region: AWS.region,
      modelId: 'eu.anthropic.claude-3-5-sonnet-20240620-v1:0',
      credentials: AWS,
      endpoint: origin,
    }),
})
