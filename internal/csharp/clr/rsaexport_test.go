package clr_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// A private key goes through XML and each of the PEM forms and signs what its first form verifies.
func TestRSAForms(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for name, form := range map[string]string{
		"XML":    `b.FromXmlString(a.ToXmlString(true));`,
		"PKCS 1": `b.ImportFromPem(a.ExportRSAPrivateKeyPem());`,
		"PKCS 8": `b.ImportFromPem(a.ExportPkcs8PrivateKeyPem());`,
		"DER":    `int n; b.ImportRSAPrivateKey(a.ExportRSAPrivateKey(), out n);`,
		"struct": `b.ImportParameters(a.ExportParameters(true));`,
	} {
		o := evalOn(t, `@{ var a = RSA.Create(); a.ImportFromPem((string)context.Variables["s"]); var b = RSA.Create(); `+form+`
			var public1 = RSA.Create(); public1.FromXmlString(a.ToXmlString(false));
			var public2 = RSA.Create(); public2.ImportFromPem(b.ExportSubjectPublicKeyInfoPem());
			var data = Encoding.UTF8.GetBytes("text");
			var signature = b.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
			return public1.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
				&& public2.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1); }`, text)
		if o.Result == nil || *o.Result != "True" {
			t.Errorf("%s: %+v", name, o)
		}
	}
	o := evalOn(t, `@{ var a = RSA.Create(); a.ImportFromPem((string)context.Variables["s"]); var b = RSA.Create(); b.FromXmlString(a.ToXmlString(false)); return b.ToXmlString(true); }`, text)
	if o.Throws != "System.Security.Cryptography.CryptographicException" {
		t.Errorf("the private half of a public key: %+v", o)
	}
}
