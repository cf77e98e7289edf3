//go:build interop

package sdk

import (
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

type pollOptions = runtime.PollUntilDoneOptions

// fast asks often: nothing here takes long.
func fast() *pollOptions { return &pollOptions{Frequency: 10 * time.Millisecond} }
