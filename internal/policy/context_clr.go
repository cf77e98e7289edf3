package policy

import (
	"time"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// The .NET forms of Go values.

func dateTime(t time.Time) any { return clr.NewDateTime(t) }

func timeSpan(d time.Duration) any { return clr.TimeSpan(d / 100) } // ticks of 100 ns

func guid(id [16]byte) any { return clr.Guid(id) }
