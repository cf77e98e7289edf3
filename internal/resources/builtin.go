package resources

import (
	"github.com/causeway-apim/causeway/internal/resource"
)

// furnishService gives a new service what every service has: the system groups, the administrator and the
// subscription to everything.
func furnishService(x *resource.Tx, old, d *resource.Doc[Service]) error {
	if old != nil {
		return nil
	}
	for _, g := range []struct{ name, display, description string }{
		{administratorsGroup, "Administrators", "Those who manage the service. Its administrators are members."},
		{developersGroup, "Developers", "Everybody who has an account in the developer portal."},
		{guestsGroup, "Guests", "Visitors of the developer portal who have not signed in."},
	} {
		group := &resource.Doc[Group]{Meta: resource.Meta{ID: d.ID.Child("groups", g.name)}}
		group.Props = Group{DisplayName: g.display, Description: g.description, BuiltIn: true, Type: groupSystem}
		if err := resource.Save(x, group); err != nil {
			return err
		}
	}
	if err := saveAdministrator(x, d); err != nil {
		return err
	}
	if err := saveDefaultPolicy(x, d.ID); err != nil {
		return err
	}
	return resource.Save(x, newMasterSubscription(d, x.Now))
}

// saveAdministrator makes the user who stands for the publisher.
func saveAdministrator(x *resource.Tx, service *resource.Doc[Service]) error {
	email := service.Props.Properties.PublisherEmail
	admin := &resource.Doc[User]{Meta: resource.Meta{ID: service.ID.Child("users", adminUser)}}
	admin.Props = User{
		FirstName: "Administrator", LastName: service.Props.Properties.PublisherName, Email: email, State: userActive, RegistrationDate: &x.Now,
		Identities: []SignInIdentity{{basicProvider, email}},
	}
	if err := resource.Save(x, admin); err != nil {
		return err
	}
	for _, group := range []string{administratorsGroup, developersGroup} {
		if err := addMember(x, group, adminUser); err != nil {
			return err
		}
	}
	return nil
}
