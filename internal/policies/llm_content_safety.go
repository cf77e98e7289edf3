package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/causeway-apim/causeway/internal/policy"
)

// LLMContentSafety is the llm-content-safety policy.
var LLMContentSafety = policy.Define[llmContentSafety](policy.Spec{
	Name:     "llm-content-safety",
	Sections: policy.Inbound | policy.Outbound,
	Body:     policy.UsesRequestBody,
	Doc:      "Has Azure AI Content Safety, or a service with its API, judge what is said to a language model, and if wanted what it says. In outbound it judges the answer.",
})

type llmContentSafety struct {
	Backend       policy.Value[string] `attr:"backend-id,required" doc:"Backend entity of the service, without the path of its API."`
	Shield        policy.Value[bool]   `attr:"shield-prompt" default:"false" doc:"Whether prompts are checked for attacks."`
	OnCompletions policy.Value[bool]   `attr:"enforce-on-completions" default:"false" doc:"Whether answers are judged too; in outbound they always are."`
	Window        policy.Value[int64]  `attr:"window-size" default:"10000" min:"1" max:"10000" doc:"Characters of an answer that are judged at a time."`
	Overlap       policy.Value[int64]  `attr:"window-overlap-size" default:"0" min:"0" max:"9999" doc:"Characters that are judged again with the next ones."`
	Categories    *safetyCategories    `elem:"categories" doc:"What is judged."`
	Blocklists    *safetyBlocklists    `elem:"blocklists" doc:"Lists of the service whose entries must not occur."`
}

type safetyCategories struct {
	Output policy.Value[string] `attr:"output-type" default:"FourSeverityLevels" enum:"FourSeverityLevels,EightSeverityLevels" doc:"Which levels there are: 0, 2, 4 and 6, or 0 to 7."`
	List   []safetyCategory     `elem:"category" doc:"A kind of harm."`
}

type safetyCategory struct {
	Name      policy.Value[string] `attr:"name,required" enum:"Hate,SelfHarm,Sexual,Violence" doc:"Kind of harm."`
	Threshold policy.Value[int64]  `attr:"threshold,required" min:"0" max:"7" doc:"Level from which on it is refused."`
}

type safetyBlocklists struct {
	IDs []policy.Value[string] `elem:"id" doc:"Name of a list."`
}

// Compile notes the backend.
func (p *llmContentSafety) Compile(c *policy.Compiler) error {
	if name, ok := p.Backend.Constant(); ok {
		c.Backend(name)
	}
	window, known := p.Window.Constant()
	overlap, fixed := p.Overlap.Constant()
	if known && fixed && overlap >= window {
		return errors.New("window-overlap-size must be less than window-size")
	}
	return nil
}

// safetyCheck is the policy with the values of one request.
type safetyCheck struct {
	backend         string
	window, overlap int
	output          string
	thresholds      map[string]int64 // by category
	categories      []string
	blocklists      []string
}

const (
	safetyVersion = "api-version=2024-09-01"
	safetyPath    = "/contentsafety"
	// maxSafetyText is how many characters (UTF-16 units) the service takes at once.
	maxSafetyText = 10000
)

func (p *llmContentSafety) Run(x *policy.Exec) error {
	check, err := p.evaluate(x)
	if err != nil {
		return err
	}
	if x.Section == policy.Outbound {
		return check.answer(x)
	}
	call, err := callOf(x)
	if err != nil {
		return err
	}
	shield, err := p.Shield.Get(x)
	if err != nil {
		return err
	}
	later, err := p.OnCompletions.Get(x)
	if err != nil {
		return err
	}
	if err := check.prompt(x, call.request.text(), shield); err != nil {
		return err
	}
	if later {
		x.Request.Header.Set("Accept-Encoding", "identity")
		x.AtAnswer(func(x *policy.Exec) error { return from("llm-content-safety", check.answer(x)) })
	}
	return nil
}

// from gives an error its source, where the engine cannot.
func from(source string, err error) error {
	if err == nil {
		return nil
	}
	e := policy.WrapError(err)
	e.Source = source
	return e
}

func (p *llmContentSafety) evaluate(x *policy.Exec) (*safetyCheck, error) {
	c := &safetyCheck{thresholds: make(map[string]int64)}
	var err error
	if c.backend, err = p.Backend.Get(x); err != nil {
		return nil, err
	}
	window, err := p.Window.Get(x)
	if err != nil {
		return nil, err
	}
	overlap, err := p.Overlap.Get(x)
	if err != nil {
		return nil, err
	}
	c.window, c.overlap = int(window), int(min(overlap, window-1))
	if p.Categories != nil {
		if c.output, err = p.Categories.Output.Get(x); err != nil {
			return nil, err
		}
		for i := range p.Categories.List {
			if err := c.addCategory(x, &p.Categories.List[i]); err != nil {
				return nil, err
			}
		}
	}
	if p.Blocklists != nil {
		for i := range p.Blocklists.IDs {
			id, err := p.Blocklists.IDs[i].Get(x)
			if err != nil {
				return nil, err
			}
			c.blocklists = append(c.blocklists, id)
		}
	}
	return c, nil
}

func (c *safetyCheck) addCategory(x *policy.Exec, category *safetyCategory) error {
	name, err := category.Name.Get(x)
	if err != nil {
		return err
	}
	if _, twice := c.thresholds[name]; !twice {
		c.categories = append(c.categories, name)
	}
	c.thresholds[name], err = category.Threshold.Get(x)
	return err
}

// prompt judges what is said to the model.
func (c *safetyCheck) prompt(x *policy.Exec, text string, shield bool) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if utf16Length(text) > maxSafetyText {
		return unsafeContent(fmt.Sprintf("The text is longer than the %d characters that can be judged.", maxSafetyText))
	}
	if shield {
		if err := c.shield(x, text); err != nil {
			return err
		}
	}
	return c.analyze(x, text)
}

func utf16Length(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// shield asks whether a prompt is an attack (operation Shield Prompt of Azure AI Content Safety).
func (c *safetyCheck) shield(x *policy.Exec, text string) error {
	in := struct {
		UserPrompt string   `json:"userPrompt"`
		Documents  []string `json:"documents"`
	}{text, []string{}}
	type analysis struct {
		AttackDetected bool `json:"attackDetected"`
	}
	var out struct {
		UserPrompt *analysis  `json:"userPromptAnalysis"`
		Documents  []analysis `json:"documentsAnalysis"`
	}
	if err := c.ask(x, "/text:shieldPrompt", in, &out); err != nil {
		return err
	}
	if out.UserPrompt == nil {
		return safetyFailed(fmt.Errorf("backend %s has not judged the prompt", c.backend))
	}
	if out.UserPrompt.AttackDetected {
		return unsafeContent("An attack was detected in the prompt.")
	}
	return nil
}

// analyze asks how harmful a text is (operation Analyze Text).
func (c *safetyCheck) analyze(x *policy.Exec, text string) error {
	if len(c.categories) == 0 && len(c.blocklists) == 0 || strings.TrimSpace(text) == "" {
		return nil
	}
	in := struct {
		Text       string   `json:"text"`
		Categories []string `json:"categories,omitempty"`
		Blocklists []string `json:"blocklistNames,omitempty"`
		Output     string   `json:"outputType,omitempty"`
	}{text, c.categories, c.blocklists, c.output}
	var out struct {
		Categories []struct {
			Category string `json:"category"`
			Severity int64  `json:"severity"`
		} `json:"categoriesAnalysis"`
		Blocklists []struct {
			Name string `json:"blocklistName"`
		} `json:"blocklistsMatch"`
	}
	if err := c.ask(x, "/text:analyze", in, &out); err != nil {
		return err
	}
	if len(out.Blocklists) > 0 {
		return unsafeContent("The text has an entry of the blocklist " + out.Blocklists[0].Name + ".")
	}
	for _, found := range out.Categories {
		for name, threshold := range c.thresholds {
			if strings.EqualFold(name, found.Category) && found.Severity >= threshold {
				return unsafeContent(fmt.Sprintf("The text has the severity %d of the category %s, from %d on it is refused.", found.Severity, name, threshold))
			}
		}
	}
	return nil
}

func (c *safetyCheck) ask(x *policy.Exec, operation string, in, out any) error {
	path := safetyPath + operation
	if b, ok := x.Host.Backend(c.backend); ok && strings.HasSuffix(strings.TrimSuffix(b.URL, "/"), safetyPath) {
		path = operation
	}
	if err := askService(x, c.backend, path, safetyVersion, in, out); err != nil {
		return safetyFailed(err)
	}
	return nil
}

// unsafeContent is the refusal of a content.
func unsafeContent(why string) *policy.Error {
	return &policy.Error{
		Reason: "ContentSafetyViolation", Message: "Request failed content safety check. " + why, Status: 403, Public: "Request failed content safety check.",
	}
}

// safetyFailed says that nobody could judge: what was not judged does not pass.
func safetyFailed(err error) *policy.Error {
	if e := policy.WrapError(err); e.Reason == policy.ReasonClientConnection {
		return e
	}
	return &policy.Error{Reason: "ContentSafetyFailure", Message: "The content could not be checked: " + err.Error() + ".", Err: err}
}

// answer judges what the model says: at once, or while it streams.
func (c *safetyCheck) answer(x *policy.Exec) error {
	r := x.EnsureResponse()
	switch {
	case r.Status < 200 || r.Status > 299 || r.Body == nil:
		return nil
	case strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "text/event-stream"):
		r.Body = &judgedBody{Body: r.Body, window: c.window, overlap: c.overlap, judge: func(text string) error { return c.analyze(x, text) }, failed: func(err error) {
			x.Host.Log(x.Context(), policy.LogError, "A streamed answer was cut off.", "reason", err.Error())
		}}
		return nil
	}
	body, err := x.ReadResponseBody()
	if err != nil {
		return err
	}
	var a llmAnswer
	if json.Unmarshal(body, &a) != nil {
		return nil
	}
	for text := []rune(a.text()); len(text) > 0; {
		n := min(len(text), c.window)
		if err := c.analyze(x, string(text[:n])); err != nil {
			return err
		}
		if n == len(text) {
			return nil
		}
		text = text[n-c.overlap:]
	}
	return nil
}
