namespace Kv.Core.Security;

/// <summary>Stored: values are never changed.</summary>
public enum GrantHolderKind
{
    All = 1,
    User = 2,
    Group = 3,
}
