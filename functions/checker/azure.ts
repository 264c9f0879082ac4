// SPDX-License-Identifier: Apache-2.0
import { SERVICE } from '../bridge/alone.ts'
import { onAzureAs } from '../host/cloud/azure.ts'
import { parseBridgeConfig } from '../host/cloud/bridge-config.ts'
import { openChecking } from './alone.ts'

onAzureAs(
  parseBridgeConfig,
  'checker',
  { wakes: openChecking, service: SERVICE },
  { schedule: '0 * * * * *' },
)
