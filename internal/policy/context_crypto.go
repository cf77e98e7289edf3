package policy

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// declareCrypto declares Encrypt and Decrypt of byte[]: CBC with the padding of PKCS #7, as .NET's algorithms are by default.
func declareCrypto(e *csharp.TypeBuilder) {
	e.Ext("byte[] Encrypt(this byte[] input, string alg, byte[] key, byte[] iv)", csharp.F4(encrypt))
	e.Ext("byte[] Decrypt(this byte[] input, string alg, byte[] key, byte[] iv)", csharp.F4(decrypt))
}

const cryptographicException = "System.Security.Cryptography.CryptographicException"

func encrypt(input []byte, algorithm string, key, iv []byte) []byte {
	block := blockCipher(algorithm, key, iv)
	size := block.BlockSize()
	padding := size - len(input)%size
	out := append(bytes.Clone(input), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out
}

func decrypt(input []byte, algorithm string, key, iv []byte) []byte {
	block := blockCipher(algorithm, key, iv)
	size := block.BlockSize()
	if len(input) == 0 || len(input)%size != 0 {
		csharp.Throw(cryptographicException, "The input data is not a complete block.")
	}
	out := make([]byte, len(input))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, input)
	padding := int(out[len(out)-1])
	if padding == 0 || padding > size || !bytes.Equal(out[len(out)-padding:], bytes.Repeat([]byte{byte(padding)}, padding)) {
		csharp.Throw(cryptographicException, "Padding is invalid and cannot be removed.")
	}
	return out[:len(out)-padding]
}

// blockCipher makes the cipher of a .NET algorithm name.
func blockCipher(algorithm string, key, iv []byte) cipher.Block {
	var block cipher.Block
	var err error
	switch strings.ToLower(strings.TrimPrefix(algorithm, "System.Security.Cryptography.")) {
	case "aes", "aesmanaged", "aescryptoserviceprovider", "rijndael", "rijndaelmanaged":
		block, err = aes.NewCipher(key)
	case "tripledes", "3des", "triple des", "tripledescryptoserviceprovider":
		block, err = tripleDES(key)
	default:
		csharp.Throwf(cryptographicException, "The algorithm '%s' is not known.", algorithm)
	}
	if err != nil {
		csharp.Throw(cryptographicException, "Specified key is not a valid size for this algorithm.")
	}
	if len(iv) != block.BlockSize() {
		csharp.Throw(cryptographicException, "Specified initialization vector (IV) does not match the block size for this algorithm.")
	}
	return block
}

// tripleDES takes keys of two or three parts.
func tripleDES(key []byte) (cipher.Block, error) {
	if len(key) == 16 {
		key = append(bytes.Clone(key), key[:8]...)
	}
	return des.NewTripleDESCipher(key)
}
