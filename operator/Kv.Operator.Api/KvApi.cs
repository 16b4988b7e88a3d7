namespace Kv.Operator.Api;

/// <summary>Names that every kind shares.</summary>
public static class KvApi
{
    public const string Group = "kv.dev";
    public const string Version = "v1alpha1";
    public const string ApiVersion = Group + "/" + Version;
}
