package policy

import "github.com/causeway-apim/causeway/internal/csharp"

// contextLibrary is the .NET library with the types of `context`.
func contextLibrary() (*csharp.Library, []csharp.Global, error) { return nil, nil, nil }
