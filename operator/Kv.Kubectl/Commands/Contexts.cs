using Google.Protobuf;

namespace Kv.Kubectl.Commands;

/// <summary>A causal context as it is printed and given back: base64.</summary>
internal static class Contexts
{
    public static ByteString Parse(string text)
    {
        try
        {
            return text.Length > 0 ? ByteString.FromBase64(text) : throw CliException.Usage("--context is empty");
        }
        catch (FormatException)
        {
            throw CliException.Usage("--context is not a context that `kv get -o json` printed: it is not base64");
        }
    }
}
